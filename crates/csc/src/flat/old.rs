//! What was left out in old commands, or written otherwise, found out from the driver. Commands of today are left as they are.

use csi::controller_service_capability::{Type, rpc};
use csi_proto::csi::v1 as csi;

use crate::Context;
use crate::controller::page::Pages;
use crate::failure::Failure;

/// Whether the driver attaches at all. To `att` and `det` a driver that does not is no failure: there is nothing to do.
pub(crate) async fn attaches(context: &mut Context<'_>) -> Result<bool, Failure> {
    if !context.flat {
        return Ok(true);
    }
    let answer = context.session.call(csi::ControllerGetCapabilitiesRequest {}).await?;
    let publishes = |capability: &csi::ControllerServiceCapability| match &capability.r#type {
        Some(Type::Rpc(rpc)) => rpc.r#type == rpc::Type::PublishUnpublishVolume as i32,
        None => false,
    };
    let attaches = answer.capabilities.iter().any(publishes);
    if !attaches {
        context
            .session
            .note("this driver does not attach volumes to nodes (no PUBLISH_UNPUBLISH_VOLUME): there is nothing to do");
    }
    Ok(attaches)
}

/// The node that `att` means: the driver's own, unless --node-id names one.
pub(crate) async fn node_id(context: &mut Context<'_>, given: String) -> Result<String, Failure> {
    if !context.flat || !given.is_empty() {
        return Ok(given);
    }
    let node = context.session.call(csi::NodeGetInfoRequest {}).await?.node_id;
    context.session.note(&format!("no --node-id: taking {node:?}, the node of this endpoint"));
    Ok(node)
}

/// For `att` where a driver does not attach: whether there is such a volume, which nobody else is asked about.
pub(crate) async fn exists(context: &mut Context<'_>, volume_id: &str) -> Result<(), Failure> {
    match volumes(context).await? {
        Some(volumes) if volumes.iter().any(|volume| volume.volume_id == volume_id) => Ok(()),
        Some(_) => Err(context.session.missing::<csi::ListVolumesRequest>(&format!("there is no volume {volume_id:?}"))),
        None => {
            context.session.note(&format!("whether {volume_id:?} is there is not known: this driver does not list its volumes"));
            Ok(())
        }
    }
}

/// Of all pages; `None` if the driver does not list.
async fn volumes(context: &mut Context<'_>) -> Result<Option<Vec<csi::Volume>>, Failure> {
    let mut pages = Pages::all();
    let mut all = Vec::new();
    while let Some(token) = pages.next() {
        let request = csi::ListVolumesRequest { max_entries: 0, starting_token: token.clone() };
        let answer = match context.session.call(request).await {
            Ok(answer) => answer,
            Err(Failure::Call { code: csi_types::Code::Unimplemented, .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        pages.after::<csi::ListVolumesRequest>(&context.session, &token, &answer.next_token)?;
        all.extend(answer.entries.into_iter().filter_map(|entry| entry.volume));
    }
    Ok(Some(all))
}

/// The id that is meant. Before CSI 0.1 an id was a map, written `path=/x`; today it is one text. A volume whose id is that text, whose
/// context says the same, or whose id is the value alone, is the one; without any the text is taken as it is.
pub(crate) async fn id(context: &mut Context<'_>, given: String) -> Result<String, Failure> {
    let Some((key, value)) = given.split_once('=').filter(|_| context.flat) else { return Ok(given) };
    // A driver without lists is asked with the text itself.
    let Some(volumes) = volumes(context).await? else { return Ok(given) };
    if volumes.iter().any(|volume| volume.volume_id == given) {
        return Ok(given);
    }
    let says = |volume: &csi::Volume| volume.volume_context.get(key).is_some_and(|found| found == value);
    let by_context: Vec<&str> = volumes.iter().filter(|volume| says(volume)).map(|volume| volume.volume_id.as_str()).collect();
    let by_value = volumes.iter().find(|volume| volume.volume_id == value).map(|volume| volume.volume_id.as_str());
    let found = match (by_context.as_slice(), by_value) {
        ([one], _) => (*one).to_owned(),
        ([], Some(one)) => one.to_owned(),
        ([], None) => return Ok(given),
        (many, _) => {
            return Err(Failure::Usage(format!(
                "{given:?} is said of {} volumes: {}; name one by its id",
                many.len(),
                many.join(", ")
            )));
        }
    };
    context.session.note(&format!("{given:?} is an id of before CSI 0.1; this driver calls that volume {found:?}"));
    Ok(found)
}
