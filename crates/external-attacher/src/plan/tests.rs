use csi_types::Next::{Do, Refuse, Rest};
use csi_types::{AccessType, CsiAccessMode};
use proptest::prelude::*;

use super::*;

fn node(id: &str) -> Option<NodeId> {
    Some(id.into())
}

/// Ready to be published: everything is written down.
fn ready() -> View {
    View {
        attachment: Some(Attachment { ours: true, deleting: false, attached: false, held: true, recorded_node: node("n") }),
        publishes: true,
        contradicted: false,
        node: node("n"),
        volume: found(),
    }
}

fn found() -> Volume {
    Volume::Found { handle: "h".into(), held: true, deleting: false, capability: Ok(capability()) }
}

fn capability() -> VolumeCapability {
    VolumeCapability { access_type: AccessType::Block, access_mode: CsiAccessMode::SingleNodeWriter }
}

fn with(change: impl FnOnce(&mut View, &mut Attachment)) -> View {
    let mut view = ready();
    let mut attachment = view.attachment.take().expect("attachment");
    change(&mut view, &mut attachment);
    view.attachment = Some(attachment);
    view
}

#[test]
fn an_attachment_is_published_only_when_volume_and_attachment_are_held() {
    let start = with(|v, a| {
        a.held = false;
        a.recorded_node = None;
        v.volume = Volume::Found { handle: "h".into(), held: false, deleting: false, capability: Ok(capability()) };
    });
    assert_eq!(plan(&start), Do(Action::HoldVolume));
    assert_eq!(plan(&View { volume: found(), ..start }), Do(Action::AddFinalizer("n".into())));
    assert_eq!(plan(&ready()), Do(Action::ControllerPublishVolume("n".into())));
    assert_eq!(plan(&with(|_, a| a.attached = true)), Rest(Why::AlreadyAttached));
}

#[test]
fn a_bad_attachment_is_refused_before_it_is_held_so_that_it_can_be_deleted() {
    let unheld = |volume: Volume| {
        with(|v, a| {
            (a.held, a.recorded_node) = (false, None);
            v.volume = volume;
        })
    };
    for (volume, problem) in [
        (Volume::Missing("pv".into()), Problem::VolumeMissing("pv".into())),
        (Volume::NotCsi("pv".into()), Problem::NotCsi("pv".into())),
        (Volume::Inline, Problem::Inline),
        (Volume::Both, Problem::TwoSources),
        (Volume::Nothing, Problem::NoSource),
        (Volume::Found { handle: "h".into(), held: false, deleting: true, capability: Ok(capability()) }, Problem::VolumeGoing),
        (
            Volume::Found { handle: "h".into(), held: false, deleting: false, capability: Err(AccessModeError::Empty) },
            Problem::AccessModes(AccessModeError::Empty),
        ),
    ] {
        let view = unheld(volume);
        assert_eq!(plan(&view), Refuse(problem), "{view:?}");
        let deleted = View { attachment: view.attachment.clone().map(|a| Attachment { deleting: true, ..a }), ..view };
        assert_eq!(plan(&deleted), Rest(Why::AlreadyDetached));
    }
}

#[test]
fn an_attachment_waits_for_its_node_to_have_the_driver() {
    assert_eq!(plan(&with(|v, _| v.node = None)), Refuse(Problem::NodeNotRegistered));
}

#[test]
fn a_node_whose_id_changed_is_written_down_before_it_is_published_to() {
    assert_eq!(plan(&with(|v, _| v.node = node("new"))), Do(Action::AddFinalizer("new".into())));
}

#[test]
fn a_detach_needs_neither_node_nor_driver_registration() {
    let gone = with(|v, a| {
        a.deleting = true;
        v.node = None;
    });
    assert_eq!(plan(&gone), Do(Action::ControllerUnpublishVolume("n".into())));
    let moved = with(|v, a| {
        a.deleting = true;
        v.node = node("new");
    });
    assert_eq!(plan(&moved), Do(Action::ControllerUnpublishVolume("n".into())), "from where it was published");
}

#[test]
fn a_detach_works_while_the_volume_is_going_and_waits_for_one_that_is_gone() {
    let going = with(|v, a| {
        a.deleting = true;
        v.volume = Volume::Found { handle: "h".into(), held: true, deleting: true, capability: Err(AccessModeError::Empty) };
    });
    assert_eq!(plan(&going), Do(Action::ControllerUnpublishVolume("n".into())));
    let gone = with(|v, a| {
        a.deleting = true;
        v.volume = Volume::Missing("pv".into());
    });
    assert_eq!(plan(&gone), Refuse(Problem::VolumeMissing("pv".into())));
}

#[test]
fn a_contradicted_status_is_made_true_again_in_either_direction() {
    assert_eq!(plan(&with(|v, a| (v.contradicted, a.attached) = (true, true))), Do(Action::ControllerPublishVolume("n".into())));
    let deleting = with(|v, a| (v.contradicted, a.deleting, a.held) = (true, true, false));
    assert_eq!(plan(&deleting), Do(Action::ControllerUnpublishVolume("n".into())));
}

#[test]
fn a_driver_that_does_not_publish_has_its_attachments_marked_and_never_held() {
    let fresh = with(|v, a| (v.publishes, a.held, a.recorded_node) = (false, false, None));
    assert_eq!(plan(&fresh), Do(Action::MarkAttached));
    assert_eq!(plan(&View { volume: Volume::Missing("pv".into()), ..fresh }), Do(Action::MarkAttached));
    assert_eq!(plan(&with(|v, a| (v.publishes, a.attached) = (false, true))), Rest(Why::AlreadyAttached));
    assert_eq!(plan(&with(|v, a| (v.publishes, a.deleting) = (false, true))), Do(Action::MarkDetached));
}

#[test]
fn another_drivers_attachment_is_left_alone_whatever_it_says() {
    assert_eq!(plan(&with(|v, a| (v.contradicted, a.ours) = (true, false))), Rest(Why::NotOurs));
}

prop_compose! {
    fn any_view()(
        exists in any::<bool>(), publishes in any::<bool>(), contradicted in any::<bool>(), ours in any::<bool>(),
        deleting in any::<bool>(), attached in any::<bool>(), held in any::<bool>(), recorded in any::<bool>(),
        registered in any::<bool>(), volume_held in any::<bool>(), volume_going in any::<bool>(), kind in 0..4,
    ) -> View {
        let volume = match kind {
            0 => Volume::Found { handle: "h".into(), held: volume_held, deleting: volume_going, capability: Ok(capability()) },
            1 => Volume::Found { handle: "h".into(), held: volume_held, deleting: volume_going, capability: Err(AccessModeError::Empty) },
            2 => Volume::Missing("pv".into()),
            _ => Volume::Inline,
        };
        let recorded_node = recorded.then(|| NodeId::from("n"));
        let attachment = Attachment { ours, deleting, attached, held, recorded_node };
        View { attachment: exists.then_some(attachment), publishes, contradicted, node: registered.then(|| "n".into()), volume }
    }
}

/// What the world is after an action succeeded.
fn after(mut view: View, action: &Action) -> View {
    let attachment = view.attachment.as_mut().expect("only what exists is acted on");
    match action {
        Action::HoldVolume => {
            if let Volume::Found { held, .. } = &mut view.volume {
                *held = true;
            }
        }
        Action::AddFinalizer(node) => {
            attachment.held = true;
            attachment.recorded_node = Some(node.clone());
        }
        Action::ControllerPublishVolume(_) => (attachment.attached, view.contradicted) = (true, false),
        Action::MarkAttached => attachment.attached = true,
        // Our finalizer was the last: the API server removes the object.
        Action::ControllerUnpublishVolume(_) | Action::MarkDetached => view.attachment = None,
    }
    view
}

proptest! {
    #[test]
    fn every_view_comes_to_rest_or_says_what_is_wrong(start in any_view()) {
        let mut view = start;
        for _ in 0..6 {
            match plan(&view) {
                Do(action) => view = after(view, &action),
                Rest(_) | Refuse(_) => return Ok(()),
            }
        }
        prop_assert!(false, "no rest: {view:?}");
    }

    #[test]
    fn nothing_is_published_that_is_not_held_or_is_being_deleted(view in any_view()) {
        if let Do(Action::ControllerPublishVolume(_)) = plan(&view) {
            let attachment = view.attachment.expect("attachment");
            prop_assert!(attachment.held && attachment.ours && !attachment.deleting, "held, ours, wanted");
            let held_and_staying = matches!(view.volume, Volume::Found { held: true, deleting: false, .. });
            prop_assert!(held_and_staying);
        }
    }

    #[test]
    fn what_is_held_is_never_let_go_without_an_unpublish(view in any_view()) {
        let deleting_and_held = view.attachment.as_ref().is_some_and(|a| a.ours && a.deleting && a.held);
        if deleting_and_held && view.publishes {
            let right = matches!(plan(&view), Do(Action::ControllerUnpublishVolume(_)) | Refuse(_));
            prop_assert!(right);
        }
    }
}
