//! `tidelock watch`: keep following the upstreams of one port or several on their schedules, until stopped.

mod args;
mod listener;
pub(super) mod ports;
mod signals;
mod work;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::anyhow;
use axum::Router;

pub(super) use args::Watch;

use super::{CliError, Context, ExitCode};
use crate::daemon::answers::{self, Offer};
use crate::daemon::metrics::Metrics;
use crate::daemon::notify::{Means, Notifier};
use crate::daemon::observe::Observations;
use crate::daemon::server::Server;
use crate::daemon::webhook::Webhooks;
use crate::daemon::{Control, Dispatcher, Live};
use crate::dashboard::{self, Act, Dashboard};
use ports::Ports;
use work::{PortWork, Retries};

pub(super) fn run(context: &Context, args: &Watch) -> Result<ExitCode, CliError> {
    let ports = Ports::new(context, args);
    let (settings, watched) = ports.read()?;
    let metrics = Arc::new(Metrics::default());
    let live = Arc::new(Live::default());
    let work = PortWork::new(ports, &context.machine, &metrics, &live, watched);
    let (stop, clock) = (Arc::clone(&context.machine.stop), Arc::clone(&context.machine.clock));
    let webhooks = Arc::new(Webhooks::new(settings.secrets));
    let means = Means {
        runner: Arc::clone(&context.machine.runner),
        clock: Arc::clone(&clock),
        stop: Arc::clone(&stop),
        metrics: Arc::clone(&metrics),
    };
    let notifier = Notifier::start(means);
    let mut observations = Observations::new(
        Arc::clone(&metrics),
        Arc::clone(&webhooks),
        notifier,
        Arc::clone(&clock),
        Arc::clone(&live),
    );
    let dispatcher = Dispatcher::new(&work, &*clock, &mut observations, work.ports(), stop);
    let control = dispatcher.control();
    signals::listen(&control, &context.machine.interrupt)?;
    let asking = Asking { control: control.clone(), retries: work.retries() };
    let acting = settings.token.map(|token| (token, Box::new(asking) as Box<dyn Act>));
    let offer = Offer { control, metrics, clock: Arc::clone(&clock), webhooks };
    let serve = |address| {
        // Nobody reads for pages that nobody can ask for.
        let dashboard = Dashboard::start(
            work.settings(),
            &context.machine,
            dashboard::Means { live: Arc::clone(&live), is_daemon: true, hosts: settings.hosts, acting },
        );
        work.shown_by(dashboard.shared());
        let pages = dashboard::router(dashboard.shared());
        Ok::<_, CliError>((serve(address, answers::router(offer).merge(pages))?, dashboard))
    };
    let served = settings.listen.map(serve).transpose()?;
    dispatcher.run(usize::try_from(settings.jobs).unwrap_or(1));
    drop(served);
    tracing::info!("stopped");
    Ok(ExitCode::Done)
}

/// Does what people ask for from the dashboard.
#[derive(Debug)]
struct Asking {
    control: Control,
    retries: Retries,
}

impl Act for Asking {
    fn look(&self, port: &str) -> bool {
        self.control.wake(BTreeSet::from([port.to_owned()]))
    }

    fn retry(&self, port: &str) -> bool {
        self.retries.ask(port);
        self.look(port)
    }
}

/// Answers at an address, and says where.
pub(super) fn serve(address: SocketAddr, router: Router) -> Result<Server, CliError> {
    let server = Server::start(address, router).map_err(|error| {
        CliError::from(anyhow!(error).context(format!("cannot listen at {address}")))
            .hint("is another daemon there? name another address, or end that one")
    })?;
    let address = server.address.to_string();
    tracing::info!(address, dashboard = format!("http://{address}/"), "listening");
    if !server.address.ip().is_loopback() {
        tracing::warn!(
            address,
            "others than this machine may ask: `/metrics` names your ports, and the dashboard shows their code; put a proxy \
             with a login before it"
        );
    }
    Ok(server)
}
