//! How full a volume is, and how well.

use clap::Args;
use csi_proto::csi::v1 as csi;

use crate::Context;
use crate::failure::Failure;
use crate::output::Shown;
use crate::quote::quote;
use crate::words;

/// NodeGetVolumeStats: how full a volume is.
#[derive(Debug, Args)]
pub(crate) struct Stats {
    /// A volume and where it is published, and where it is staged. The first ":/" ends the id, the next one the path; without one, ":".
    #[arg(value_name = "ID:PATH[:STAGING]", required = true)]
    volumes: Vec<String>,
    /// Where the volumes are published: then the arguments are ids alone, with any characters in them.
    #[arg(long, value_name = "PATH")]
    volume_path: Option<String>,
    /// Where the volumes are staged.
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    staging_target_path: String,
}

impl Stats {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let Context { session, output, .. } = context;
        // All of them are read before the first call.
        let places: Vec<Place> =
            self.volumes.iter().map(|text| place(text, self.volume_path.as_deref())).collect::<Result<_, _>>()?;
        for Place { id, path, staging } in places {
            let request = csi::NodeGetVolumeStatsRequest {
                volume_id: id.clone(),
                volume_path: path.clone(),
                staging_target_path: staging.unwrap_or_else(|| self.staging_target_path.clone()),
            };
            let answer = session.call(request).await?;
            let mut shown = Shown { columns: &["VOLUME", "PATH", "AVAILABLE", "TOTAL", "USED", "UNIT"], ..Shown::default() };
            for usage in &answer.usage {
                let unit = csi::volume_usage::Unit::try_from(usage.unit);
                let unit = unit.map_or_else(|_| usage.unit.to_string(), |unit| unit.as_str_name().to_owned());
                let csi::VolumeUsage { available, total, used, .. } = usage;
                shown.lines += &format!("{id}\t{path}\t{available}\t{total}\t{used}\t{unit}\n");
                let cells = [id.clone(), path.clone(), available.to_string(), total.to_string(), used.to_string(), unit];
                shown.rows.push(cells.into());
            }
            output.show(&answer, &[("volume_id", &id), ("volume_path", &path)], shown)?;
        }
        Ok(())
    }
}

/// NodeGetVolumeHealth: what is wrong with a volume, as its node sees it.
#[derive(Debug, Args)]
pub(crate) struct Health {
    /// A volume and where it is published, and where it is staged. The first ":/" ends the id, the next one the path; without one, ":".
    #[arg(value_name = "ID:PATH[:STAGING]", required = true)]
    volumes: Vec<String>,
    /// Where the volumes are published: then the arguments are ids alone, with any characters in them.
    #[arg(long, value_name = "PATH")]
    volume_path: Option<String>,
    /// Where the volumes are staged.
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    staging_target_path: String,
}

impl Health {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let Context { session, output, .. } = context;
        let places: Vec<Place> =
            self.volumes.iter().map(|text| place(text, self.volume_path.as_deref())).collect::<Result<_, _>>()?;
        for Place { id, path, staging } in places {
            let request = csi::NodeGetVolumeHealthRequest {
                volume_id: id.clone(),
                volume_publish_path: path,
                staging_target_path: staging.unwrap_or_else(|| self.staging_target_path.clone()),
            };
            let answer = session.call(request).await?;
            let health = answer.volume_health.clone();
            let health = health.unwrap_or_else(|| csi::VolumeHealth { volume_id: id.clone(), ..Default::default() });
            output.show(&answer, &[("volume_id", &id)], words::health([&health]))?;
        }
        Ok(())
    }
}

/// NodeGetStorageHealth.
pub(super) async fn storage(context: &mut Context<'_>) -> Result<(), Failure> {
    let Context { session, output, .. } = context;
    let answer = session.call(csi::NodeGetStorageHealthRequest { secrets: session.secrets() }).await?;
    let mut shown = Shown { columns: &["STATUS", "REASON", "MESSAGE"], ..Shown::default() };
    for backend in &answer.backend_health {
        let status = csi::StorageHealthErrorType::try_from(backend.status);
        let status = status.map_or_else(|_| backend.status.to_string(), |status| status.as_str_name().to_owned());
        shown.lines += &format!("{status}\t{}\t{}\n", quote(&backend.reason), quote(&backend.message));
        shown.rows.push(vec![status, backend.reason.clone(), backend.message.clone()]);
    }
    output.show(&answer, &[], shown)
}

/// A volume on this host.
#[derive(Debug, PartialEq)]
struct Place {
    id: String,
    path: String,
    staging: Option<String>,
}

/// Reads `ID:PATH[:STAGING]`. Upstream splits at every colon, and so cannot be told of an id that has one.
fn place(text: &str, path: Option<&str>) -> Result<Place, Failure> {
    if let Some(path) = path {
        return Ok(Place { id: text.to_owned(), path: path.to_owned(), staging: None });
    }
    let split = |text: &str| {
        let at = text.find(":/").or_else(|| text.find(':'))?;
        Some((text[..at].to_owned(), text[at + 1..].to_owned()))
    };
    let Some((id, rest)) = split(text).filter(|(id, rest)| !id.is_empty() && !rest.is_empty()) else {
        return Err(Failure::Usage(format!(
            "{text:?} names no volume and path: expected ID:PATH[:STAGING], or an ID and --volume-path"
        )));
    };
    Ok(match split(&rest) {
        Some((path, staging)) => Place { id, path, staging: Some(staging) },
        None => Place { id, path: rest, staging: None },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_may_have_colons_and_a_path_begins_with_a_slash() {
        let read = |text: &str| place(text, None).map(|place| (place.id, place.path, place.staging.unwrap_or_default())).ok();
        let parts = |id: &str, path: &str, staging: &str| Some((id.to_owned(), path.to_owned(), staging.to_owned()));
        assert_eq!(read("v-1:/mnt/a"), parts("v-1", "/mnt/a", ""));
        assert_eq!(read("v-1:/mnt/a:/stage"), parts("v-1", "/mnt/a", "/stage"));
        assert_eq!(read("aws:vol:1:/mnt/a"), parts("aws:vol:1", "/mnt/a", ""));
        assert_eq!(read("v:relative:stage"), parts("v", "relative", "stage"));
        for text in ["v-1", "", ":", ":/mnt", "v:"] {
            assert_eq!(read(text), None, "{text}");
        }
        let named = place("nfs:/export:x", Some("/mnt")).unwrap();
        assert_eq!(named, Place { id: "nfs:/export:x".into(), path: "/mnt".into(), staging: None });
    }
}
