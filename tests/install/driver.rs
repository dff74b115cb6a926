//! The built-in driver as the chart installs it.

use std::fs;

use anyhow::Result;

use crate::site::Site;

/// Its name unless a value says otherwise.
pub(crate) const DRIVER: &str = "local.csi.longshore.dev";

/// How many volumes it has, by the files of its data folder: asked of the disk, not of the driver.
pub(crate) fn backend(site: &Site) -> Result<usize> {
    match fs::read_dir(site.cluster.run().join("volumes/volumes")) {
        Ok(entries) => Ok(entries.count()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error.into()),
    }
}
