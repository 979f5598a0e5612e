//! A Python with `ha-mqtt-discoverable`: an implementation of MQTT discovery that is not ours.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::Variables;
use crate::process;
use crate::workspace::{Workspace, program};

/// Its name on the command line.
pub const NAME: &str = "ha-mqtt-discoverable";

const REQUIREMENTS: &str = include_str!("../../peers/requirements.txt");
/// A few megabytes; a slow line takes a while.
const INSTALL_LIMIT: Duration = Duration::from_secs(5 * 60);

/// Makes the virtual environment below the target folder.
pub fn prepare(workspace: &Workspace) -> Result<Variables> {
    let folder = workspace.target.join("peers/venv");
    environment(&folder, REQUIREMENTS)?;
    let python = folder.join("bin/python");
    let works = Command::new(&python).args(["-c", "import ha_mqtt_discoverable.sensors, paho.mqtt.client"]).status();
    if !works.is_ok_and(|status| status.success()) {
        bail!("{} does not import its packages; remove its folder and try again", python.display());
    }
    Ok(vec![("VESTIBULE_PYTHON", python.display().to_string())])
}

/// Makes a virtual environment with exactly `requirements`, unless `folder` holds one already.
pub fn environment(folder: &Path, requirements: &str) -> Result<()> {
    let stamp = folder.join("vestibule.stamp");
    if std::fs::read_to_string(&stamp).is_ok_and(|text| text == requirements) && folder.join("bin/python").exists() {
        return Ok(());
    }
    println!("Making a Python environment in {}", folder.display());
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let python = program("python3").context("python3 is not here")?;
    process::must(Command::new(python).args(["-m", "venv"]).arg(folder), INSTALL_LIMIT)?;
    let list = folder.join("requirements.txt");
    std::fs::write(&list, requirements).with_context(|| format!("cannot write {}", list.display()))?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(&list);
    process::must(&mut pip, INSTALL_LIMIT).context("pip could not install; is this machine online?")?;
    std::fs::write(&stamp, requirements).with_context(|| format!("cannot write {}", stamp.display()))
}
