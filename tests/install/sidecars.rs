//! The chart of another driver, with Longshore's sidecars rendered into its pods by charts/longshore's templates.

use std::fs;

use anyhow::Result;
use serde_json::json;

use crate::helm::{Helm, Release};
use crate::site::Site;

/// What charts/example-driver calls its driver.
const DRIVER: &str = "example.csi.longshore.dev";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_drivers_chart_serves_claims_by_the_sidecars_it_renders_from_this_one() -> Result<()> {
    let installs = ["longshore-example"];
    let site = Site::begin("sidecars", &installs).await?;
    let release = Release::of_example(&site, Helm::Three, "example", installs[0])?;
    let data = site.cluster.run().join("example");
    // The driver's sockets and folders are as its chart has them; only its disk is where the cluster's own are.
    release.install(&site, &json!({"driver": {"dataDir": data}}))?;
    release.ready(&site).await?;
    site.data_outlives_a_pod("example")?;
    let volumes = || Ok(fs::read_dir(data.join("volumes"))?.count());
    site.nothing_left_of(DRIVER, volumes).await?;
    release.uninstall(&site)?;
    site.end(&installs, &[]).await
}
