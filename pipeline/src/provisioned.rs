//! What the port's code runs with: the interpreter, and the environment that its project files ask for.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use port::confinement::Access;
use port::language::python::Interpreter;
use port::provision::{Environment, EnvironmentError, EnvironmentRequest, Environments, Project};

use crate::driver::Obstacle;
use crate::progress::Progress;
use crate::session::Session;

/// The environments that a session uses: each is kept from being swept away for as long as it lives.
#[derive(Debug, Default)]
pub(crate) struct Provisioned {
    used: Mutex<Vec<(Project, Arc<Environment>)>>,
}

/// What a checkout's project files ask for, and whether it is there.
#[derive(Debug)]
pub(crate) struct Standing {
    /// What they ask for.
    pub(crate) project: Project,
    /// The environment, where it is needed and ready.
    pub(crate) ready: Option<Arc<Environment>>,
}

impl Session {
    /// The interpreter for a checkout of the port, in an environment with what its project files ask for.
    pub(crate) fn python_for(&self, root: &Path) -> Result<Interpreter> {
        Ok(match self.provide(root)? {
            Some(environment) => environment.interpreter.clone(),
            None => self.interpreter()?.clone(),
        })
    }

    /// Makes the environment for a checkout of the port, where one is needed.
    pub(crate) fn provide(&self, root: &Path) -> Result<Option<Arc<Environment>>> {
        let Standing { project, ready } = self.provisioned_at(root).map_err(blocked)?;
        if ready.is_some() || !self.settings.environment.provision || !project.needs_packages() {
            return Ok(ready);
        }
        let what = format!("installing what {} asks for", project.files.join(", "));
        self.machine.listener.tell(Progress::Busy { what });
        let folder = root.join(&self.settings.environment.folder);
        let base = self.interpreter().map_err(|error| blocked(error.into()))?;
        let request = self.environment_request(base, &project, &folder);
        let made = self.environments().make(&request).map_err(blocked)?;
        Ok(Some(self.keep(project, made)))
    }

    /// Looks whether the environment for a checkout is ready, and makes nothing.
    pub(crate) fn provisioned_at(&self, root: &Path) -> Result<Standing, EnvironmentError> {
        let settings = &self.settings.environment;
        if !settings.provision {
            return Ok(Standing { project: Project::default(), ready: None });
        }
        let folder = root.join(&settings.folder);
        let project = Project::read(&folder, &settings.groups)?;
        if !project.needs_packages() {
            return Ok(Standing { project, ready: None });
        }
        let used = self.provisioned.used.lock().unwrap_or_else(PoisonError::into_inner);
        let known =
            used.iter().find(|(of, _)| *of == project).map(|(_, environment)| Arc::clone(environment));
        drop(used);
        let ready = if known.is_some() {
            known
        } else {
            let request = self.environment_request(self.interpreter()?, &project, &folder);
            let found = self.environments().find(&request)?;
            found.map(|found| self.keep(project.clone(), found))
        };
        Ok(Standing { project, ready })
    }

    fn keep(&self, project: Project, environment: Environment) -> Arc<Environment> {
        let environment = Arc::new(environment);
        let mut used = self.provisioned.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.push((project, Arc::clone(&environment)));
        environment
    }

    fn environments(&self) -> Environments {
        Environments::in_folder(&self.settings.state.join("cache").join("environments"))
    }

    fn environment_request<'a>(
        &'a self,
        base: &'a Interpreter,
        project: &'a Project,
        folder: &'a Path,
    ) -> EnvironmentRequest<'a> {
        EnvironmentRequest {
            project,
            folder,
            base,
            runner: &*self.machine.runner,
            disk_bytes_max: self.settings.disk_bytes_max,
        }
    }
}

/// What an interpreter needs to read, where it is not among the system's own files.
pub(crate) fn interpreter_access(python: &Interpreter) -> Access {
    Access { read: python.folders().to_vec(), write: Vec::new() }
}

/// What was in the way is a person's to remove; a stop is a stop.
fn blocked(error: EnvironmentError) -> anyhow::Error {
    if matches!(error, EnvironmentError::Interrupted) {
        return error.into();
    }
    Obstacle::blocked("the port's environment", &error.to_string(), error.hint()).into()
}
