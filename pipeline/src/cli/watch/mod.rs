//! `tidelock watch`: keep following the upstreams of one port or several on their schedules, until stopped.

mod args;
mod listener;
mod ports;
mod signals;
mod work;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::anyhow;

pub(super) use args::Watch;

use super::{CliError, Context, ExitCode};
use crate::daemon::Dispatcher;
use crate::daemon::metrics::Metrics;
use crate::daemon::notify::{Means, Notifier};
use crate::daemon::observe::Observations;
use crate::daemon::server::{Offer, Server};
use crate::daemon::webhook::Webhooks;
use ports::Ports;
use work::PortWork;

pub(super) fn run(context: &Context, args: &Watch) -> Result<ExitCode, CliError> {
    let ports = Ports::new(context, args);
    let (settings, watched) = ports.read()?;
    let metrics = Arc::new(Metrics::default());
    let work = PortWork::new(ports, &context.machine, &metrics, watched);
    let (stop, clock) = (Arc::clone(&context.machine.stop), Arc::clone(&context.machine.clock));
    let webhooks = Arc::new(Webhooks::new(settings.secrets));
    let means = Means {
        runner: Arc::clone(&context.machine.runner),
        clock: Arc::clone(&clock),
        stop: Arc::clone(&stop),
        metrics: Arc::clone(&metrics),
    };
    let notifier = Notifier::start(means);
    let mut observations =
        Observations::new(Arc::clone(&metrics), Arc::clone(&webhooks), notifier, Arc::clone(&clock));
    let dispatcher = Dispatcher::new(&work, &*clock, &mut observations, work.ports(), stop);
    let control = dispatcher.control();
    signals::listen(&control, &context.machine.interrupt)?;
    let offer = Offer { control, metrics, clock: Arc::clone(&clock), webhooks };
    let server = settings.listen.map(|address| serve(address, offer)).transpose()?;
    dispatcher.run(usize::try_from(settings.jobs).unwrap_or(1));
    drop(server);
    tracing::info!("stopped");
    Ok(ExitCode::Done)
}

fn serve(address: SocketAddr, offer: Offer) -> Result<Server, CliError> {
    let server = Server::start(address, offer).map_err(|error| {
        CliError::from(anyhow!(error).context(format!("cannot listen at {address}")))
            .hint("is another daemon there? name another address, or end that one")
    })?;
    let address = server.address.to_string();
    tracing::info!(address, "listening");
    if !server.address.ip().is_loopback() {
        tracing::warn!(
            address,
            "others than this machine may ask: `/metrics` names your ports; put a proxy before it"
        );
    }
    Ok(server)
}
