//! What a container sees of the filesystem: this host's, with the pod's volumes at their places.
//!
//! A place that this host has is covered by the volume. For one that it does not have, the directories above it are made anew in
//! memory, with everything else in them as it is: nothing is ever made on the host itself. For one inside another volume's place, the
//! directories are made in that volume, as everywhere.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::mount::{MountFlags, MountPropagationFlags};

use crate::launch::{Launch, Mount, Source};

/// In the mount namespace of the container. Leaves the working directory at the new root.
pub(super) fn build(launch: &Launch) -> Result<(), String> {
    for mount in &launch.mounts {
        let plain = |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
        if !mount.target.is_absolute() || !mount.target.components().all(plain) || mount.target == Path::new("/") {
            return Err(format!("mountPath {} must be absolute, without .., and not /", mount.target.display()));
        }
    }
    if let Some(mount) = launch.mounts.iter().find(|mount| mount.existing && !mount.target.exists()) {
        // In Mesos' words: people look for them.
        return Err(format!(
            "Absolute container path '{}' does not exist on this host, and a task without an image sees no other files: make it, or mount at \
             a relative path, which is in the task's sandbox",
            mount.target.display()
        ));
    }
    let missing: Vec<&Mount> = launch.mounts.iter().filter(|mount| !mount.target.exists()).collect();
    let root = if missing.is_empty() {
        PathBuf::from("/")
    } else {
        let root = launch.dir.join("root");
        widen(&root, &missing).map_err(|error| format!("cannot make a place for the volumes: {error}"))?;
        root
    };
    // Shorter paths first: a volume inside another volume's place comes on top.
    let mut mounts: Vec<&Mount> = launch.mounts.iter().collect();
    mounts.sort_by_key(|mount| mount.target.components().count());
    for (index, mount) in mounts.iter().enumerate() {
        let around =
            mounts[..index].iter().rev().find_map(|other| Some((*other, mount.target.strip_prefix(&other.target).ok()?)));
        place(mount, around, &root, &launch.dir)
            .map_err(|error| format!("cannot mount at {}: {error}", mount.target.display()))?;
    }
    if root != Path::new("/") {
        enter(&root).map_err(|error| format!("cannot change to the container's root: {error}"))?;
    }
    Ok(())
}

fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// A root in memory that shows this host's, with the directories of these places added.
fn widen(root: &Path, missing: &[&Mount]) -> io::Result<()> {
    fs::create_dir_all(root)?;
    rustix::mount::mount("tmpfs", root, "tmpfs", MountFlags::empty(), Some(c"mode=0755"))?;
    // What is bound into it must not contain it again.
    rustix::mount::mount_change(root, MountPropagationFlags::UNBINDABLE)?;
    // Directories that get a new entry: the nearest existing one above each place, and all above that.
    let mut anew: BTreeSet<PathBuf> = BTreeSet::from([PathBuf::from("/")]);
    for mount in missing {
        let nearest = mount.target.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
        anew.extend(nearest.ancestors().map(Path::to_owned));
    }
    copy_shape(Path::new("/"), root, &anew, root)?;
    for mount in missing {
        let place = below(root, &mount.target);
        match &mount.source {
            Source::Path(source) if source.is_file() => touch(&place)?,
            Source::Device(_) | Source::File(..) => touch(&place)?,
            Source::Path(_) | Source::Files(_) => fs::create_dir_all(&place)?,
            Source::SubPath(volume, path) => match fs::metadata(sub_path(volume, path, PRIVATE)?.1)?.is_file() {
                true => touch(&place)?,
                false => fs::create_dir_all(&place)?,
            },
        }
    }
    Ok(())
}

fn touch(place: &Path) -> io::Result<()> {
    place.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::File::create(place).map(drop)
}

/// Fills `to` with what `from` has: directories that are to be made anew are, everything else is bound.
fn copy_shape(from: &Path, to: &Path, anew: &BTreeSet<PathBuf>, root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            symlink(fs::read_link(&source)?, &target)?;
        } else if kind.is_dir() {
            fs::create_dir(&target)?;
            if anew.contains(&source) {
                fs::set_permissions(&target, fs::metadata(&source)?.permissions())?;
                copy_shape(&source, &target, anew, root)?;
            } else if source != root {
                rustix::mount::mount_bind_recursive(&source, &target)?;
            }
        } else {
            fs::File::create(&target)?;
            rustix::mount::mount_bind(&source, &target)?;
        }
    }
    Ok(())
}

/// `around`: the mount in whose place this one is, and where in it.
fn place(mount: &Mount, around: Option<(&Mount, &Path)>, root: &Path, dir: &Path) -> io::Result<()> {
    let target = below(root, &mount.target);
    // Volumes are written by others: a link in one must not lead a new directory out of it.
    let inside = match around {
        Some((volume, path)) if !path.as_os_str().is_empty() => Some(inside(&below(root, &volume.target), path, mount)?),
        _ => None,
    };
    // For the mount itself; what is on top of it is found by its path only.
    let at = inside.as_ref().map_or(target.as_path(), |(_, by_number)| by_number.as_path());
    match &mount.source {
        Source::Path(source) => rustix::mount::mount_bind_recursive(source, at)?,
        Source::SubPath(volume, path) => {
            let (_open, by_number) = sub_path(volume, path, PRIVATE)?;
            rustix::mount::mount_bind_recursive(&by_number, at)?;
        }
        Source::Device(link) => rustix::mount::mount_bind(fs::canonicalize(link)?, at)?,
        Source::File(..) => {}
        Source::Files(files) => {
            rustix::mount::mount("tmpfs", at, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, Some(c"mode=0755"))?;
            for (name, (bytes, mode)) in files {
                let file = target.join(name);
                file.parent().map_or(Ok(()), fs::create_dir_all)?;
                fs::write(&file, bytes)?;
                fs::set_permissions(&file, fs::Permissions::from_mode(*mode))?;
            }
        }
    }
    if let Source::File(bytes, mode) = &mount.source {
        // Each in a filesystem of its own, in memory; this process alone sees it.
        let hold = dir.join("file");
        fs::create_dir_all(&hold)?;
        rustix::mount::mount("tmpfs", &hold, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, Some(c"mode=0755"))?;
        let file = hold.join("0");
        fs::write(&file, bytes)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(*mode))?;
        rustix::mount::mount_bind(&file, at)?;
    }
    if mount.read_only {
        // A bind takes read-only only from a remount.
        rustix::mount::mount_remount(&target, MountFlags::BIND | MountFlags::RDONLY, c"")?;
    }
    Ok(())
}

/// Directories of a volume that a pod names, as a kubelet makes them.
const PRIVATE: u32 = 0o750;
/// Directories on the way to a mount: whoever the process is, it has to get through.
const PASSABLE: u32 = 0o755;

fn open_below(at: &OwnedFd, path: &Path) -> rustix::io::Result<OwnedFd> {
    openat2(at, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS)
}

/// The place of a mount inside a volume that is mounted already, made if it is not there. As with [`sub_path`], the path is good as
/// long as the value lives.
fn inside(volume: &Path, path: &Path, mount: &Mount) -> io::Result<(OwnedFd, PathBuf)> {
    let is_file = match &mount.source {
        Source::Device(_) | Source::File(..) => true,
        Source::Path(source) => source.is_file(),
        Source::SubPath(volume, path) => fs::metadata(sub_path(volume, path, PRIVATE)?.1)?.is_file(),
        Source::Files(_) => false,
    };
    let (true, Some(name)) = (is_file, path.file_name()) else { return sub_path(volume, path, PASSABLE) };
    let (parent, _) = sub_path(volume, path.parent().unwrap_or(Path::new("")), PASSABLE)?;
    let name = Path::new(name);
    let at = match open_below(&parent, name) {
        Err(rustix::io::Errno::NOENT) => {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            rustix::fs::openat(&parent, name, flags, Mode::from_raw_mode(0o644))?;
            open_below(&parent, name)?
        }
        opened => opened?,
    };
    let by_number = PathBuf::from(format!("/proc/self/fd/{}", at.as_raw_fd()));
    Ok((at, by_number))
}

/// Opens a path below a volume, directory by directory; a link that leads out of the volume is an error, whoever put it there.
/// The second path stays good as long as the first value lives.
fn sub_path(volume: &Path, path: &Path, mode: u32) -> io::Result<(OwnedFd, PathBuf)> {
    let mut at: OwnedFd = rustix::fs::open(volume, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    for part in path.components() {
        let part = Path::new(part.as_os_str());
        at = match open_below(&at, part) {
            Err(rustix::io::Errno::NOENT) => {
                rustix::fs::mkdirat(&at, part, Mode::from_raw_mode(mode))?;
                open_below(&at, part)?
            }
            opened => opened?,
        };
    }
    let by_number = PathBuf::from(format!("/proc/self/fd/{}", at.as_raw_fd()));
    Ok((at, by_number))
}

fn enter(root: &Path) -> io::Result<()> {
    rustix::process::chdir(root)?;
    // The old root goes on top of the new one and is let go from there: no directory is needed for it.
    rustix::process::pivot_root(".", ".")?;
    rustix::mount::unmount(".", rustix::mount::UnmountFlags::DETACH)?;
    rustix::process::chdir("/")?;
    Ok(())
}
