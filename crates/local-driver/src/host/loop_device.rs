//! Loop devices: a file seen as a disk. The only file of the workspace that needs `unsafe`: an ioctl is a promise about types.
//!
//! A device for a filesystem is attached with autoclear: the mount alone holds it, so a driver that is killed anywhere leaves
//! either a mount that is known to the kernel or nothing. A device for raw use has no mount that could hold it; it is attached
//! plainly, found again through sysfs, and detached by NodeUnstageVolume.
#![expect(unsafe_code, reason = "loop and freeze ioctls have no safe wrapper; each call names the kernel's type next to it")]

use std::fs::{self, File, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use linux_raw_sys::loop_device::{
    LOOP_CLR_FD, LOOP_CONFIGURE, LOOP_CTL_GET_FREE, LOOP_GET_STATUS64, LOOP_SET_CAPACITY, loop_config, loop_info64,
};
use rustix::fs::{FileType, Mode, makedev, mknodat};
use rustix::io::Errno;
use rustix::ioctl::{Getter, Ioctl, IoctlOutput, NoArg, Opcode, Setter, ioctl};

use crate::error::{Error, Result, io_error};

const CONTROL: &str = "/dev/loop-control";
const SYS: &str = "/sys/block";
const MAJOR: u32 = 7;
const READ_ONLY: u32 = linux_raw_sys::loop_device::LO_FLAGS_READ_ONLY as u32;
const AUTOCLEAR: u32 = linux_raw_sys::loop_device::LO_FLAGS_AUTOCLEAR as u32;
/// `_IOWR('X', 119, int)` and its neighbour, from linux/fs.h.
const FIFREEZE: Opcode = 0xc004_5877;
const FITHAW: Opcode = 0xc004_5878;
/// Others take free devices too; this often we look for the next one.
const ATTEMPTS: usize = 64;

/// An attached device, held open.
pub(crate) struct Device {
    pub(crate) number: u32,
    file: File,
}

/// An attached device as sysfs shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attached {
    pub(crate) number: u32,
    pub(crate) readonly: bool,
}

/// The device node of a number.
pub(crate) fn node(number: u32) -> PathBuf {
    PathBuf::from(format!("/dev/loop{number}"))
}

/// The device number of a node's name, such as `loop3`.
pub(crate) fn number(name: &Path) -> Option<u32> {
    name.file_name()?.to_str()?.strip_prefix("loop")?.parse().ok()
}

impl Device {
    /// Where it can be mounted from.
    pub(crate) fn path(&self) -> PathBuf {
        node(self.number)
    }

    /// Makes the device as large as its file has become.
    pub(crate) fn refresh_size(&self) -> Result<()> {
        // SAFETY: LOOP_SET_CAPACITY takes no argument.
        unsafe { ioctl(&self.file, NoArg::<{ LOOP_SET_CAPACITY as Opcode }>::new()) }.map_err(io_error("resize", self.path()))
    }

    /// Writes what the device still caches to its file.
    pub(crate) fn flush(&self) -> Result<()> {
        self.file.sync_all().map_err(io_error("flush", self.path()))
    }
}

/// Attaches an image to a free device.
pub(crate) fn attach(image: &Path, readonly: bool, autoclear: bool) -> Result<Device> {
    let backing = OpenOptions::new().read(true).write(!readonly).open(image).map_err(io_error("open", image))?;
    let control = OpenOptions::new().read(true).write(true).open(CONTROL).map_err(io_error("open", CONTROL))?;
    for _ in 0..ATTEMPTS {
        // SAFETY: LOOP_CTL_GET_FREE takes no argument and returns the number.
        let number = unsafe { ioctl(&control, GetFree) }.map_err(io_error("find a free loop device through", CONTROL))?;
        let path = node(number);
        let file = open_node(number, readonly)?;
        let mut config = empty_config();
        config.fd = backing.as_raw_fd() as u32;
        config.info.lo_flags = if readonly { READ_ONLY } else { 0 } | if autoclear { AUTOCLEAR } else { 0 };
        // As much of the name as fits, for people who run losetup.
        let name = image.as_os_str().as_bytes();
        for (to, from) in config.info.lo_file_name.iter_mut().take(63).zip(name) {
            *to = *from;
        }
        // SAFETY: LOOP_CONFIGURE reads a loop_config.
        match unsafe { ioctl(&file, Setter::<{ LOOP_CONFIGURE as Opcode }, loop_config>::new(config)) } {
            Ok(()) => return Ok(Device { number, file }),
            // Somebody was faster.
            Err(Errno::BUSY) => continue,
            Err(error) => return Err(io_error("attach the image to", path)(error)),
        }
    }
    Err(Error::Exhausted(format!("no free loop device after {ATTEMPTS} attempts; detach unused ones with losetup -d")))
}

/// Opens a device that was found attached to `image`; `None` if it no longer is.
pub(crate) fn open(found: Attached, image: &Path) -> Result<Option<Device>> {
    let file = open_node(found.number, found.readonly)?;
    Ok(backs(&file, image).then_some(Device { number: found.number, file }))
}

/// Detaches a device from `image`. One that somebody still has open goes when they close it.
pub(crate) fn detach(found: Attached, image: &Path) -> Result<()> {
    let path = node(found.number);
    let file = open_node(found.number, true)?;
    // Since it was found it may have been detached and taken by somebody else. From here on, our open file keeps it.
    if image.exists() && !backs(&file, image) {
        return Ok(());
    }
    // SAFETY: LOOP_CLR_FD takes no argument.
    match unsafe { ioctl(&file, NoArg::<{ LOOP_CLR_FD as Opcode }>::new()) } {
        Ok(()) | Err(Errno::NXIO) => Ok(()),
        Err(error) => Err(io_error("detach", path)(error)),
    }
}

/// Every device whose backing file is `image`, which need not exist any more. `tail` is the end of its path: a mount namespace
/// may show another beginning.
pub(crate) fn attached_to(image: &Path, tail: &Path) -> Result<Vec<Attached>> {
    let mut found = Vec::new();
    for (number, backing) in all()? {
        let same = backing.ends_with(tail)
            && match fs::metadata(image) {
                Err(_) => backing == image,
                Ok(_) => match File::open(node(number)) {
                    Ok(file) => backs(&file, image),
                    // A controller without privileges has no devices, and must still not delete what is attached: no other image ends so.
                    Err(_) => true,
                },
            };
        if same {
            let readonly = fs::read_to_string(format!("{SYS}/loop{number}/ro")).is_ok_and(|text| text.trim() == "1");
            found.push(Attached { number, readonly });
        }
    }
    Ok(found)
}

/// Every attached device and its backing file.
pub(crate) fn all() -> Result<Vec<(u32, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(SYS).map_err(io_error("list", SYS))? {
        let entry = entry.map_err(io_error("list", SYS))?;
        let Some(number) = number(Path::new(&entry.file_name())) else { continue };
        // Absent while the device is free.
        let Ok(backing) = fs::read(entry.path().join("loop/backing_file")) else { continue };
        let backing = backing.strip_suffix(b"\n").unwrap_or(&backing);
        let backing = backing.strip_suffix(b" (deleted)").unwrap_or(backing);
        found.push((number, PathBuf::from(std::ffi::OsStr::from_bytes(backing))));
    }
    found.sort();
    Ok(found)
}

/// Stops writes to a mounted filesystem and makes its device hold everything. `false` if it was frozen already.
pub(crate) fn freeze(point: &Path) -> Result<bool> {
    let dir = File::open(point).map_err(io_error("open", point))?;
    // SAFETY: FIFREEZE ignores its int argument.
    match unsafe { ioctl(&dir, Setter::<FIFREEZE, i32>::new(0)) } {
        Ok(()) => Ok(true),
        Err(Errno::BUSY) => Ok(false),
        Err(error) => Err(io_error("freeze", point)(error)),
    }
}

/// Lets writes go on. One that is not frozen is left as it is.
pub(crate) fn thaw(point: &Path) -> Result<()> {
    let dir = File::open(point).map_err(io_error("open", point))?;
    // SAFETY: FITHAW ignores its int argument.
    match unsafe { ioctl(&dir, Setter::<FITHAW, i32>::new(0)) } {
        Ok(()) | Err(Errno::INVAL) => Ok(()),
        Err(error) => Err(io_error("thaw", point)(error)),
    }
}

fn backs(device: &File, image: &Path) -> bool {
    // SAFETY: LOOP_GET_STATUS64 fills a loop_info64.
    let status = unsafe { ioctl(device, Getter::<{ LOOP_GET_STATUS64 as Opcode }, loop_info64>::new()) };
    match (status, fs::metadata(image)) {
        (Ok(status), Ok(image)) => status.lo_device == image.dev() && status.lo_inode == image.ino(),
        _ => false,
    }
}

fn open_node(number: u32, readonly: bool) -> Result<File> {
    let path = node(number);
    let open = || OpenOptions::new().read(true).write(!readonly).open(&path);
    match open() {
        // A /dev that is not the kernel's own, as in many containers, lacks devices made later.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = mknodat(rustix::fs::CWD, &path, FileType::BlockDevice, Mode::from_raw_mode(0o600), makedev(MAJOR, number));
            match made {
                Ok(()) | Err(Errno::EXIST) => open().map_err(io_error("open", &path)),
                Err(error) => Err(io_error("make the device node", &path)(error)),
            }
        }
        other => other.map_err(io_error("open", &path)),
    }
}

fn empty_config() -> loop_config {
    // SAFETY: integers and arrays of integers; zero is a value of each.
    unsafe { MaybeUninit::<loop_config>::zeroed().assume_init() }
}

/// LOOP_CTL_GET_FREE: no argument; the answer is the return value.
struct GetFree;

// SAFETY: no pointer is passed, so nothing is read or written through one.
unsafe impl Ioctl for GetFree {
    type Output = u32;

    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        LOOP_CTL_GET_FREE as Opcode
    }

    fn as_ptr(&mut self) -> *mut rustix::ffi::c_void {
        std::ptr::null_mut()
    }

    unsafe fn output_from_ptr(output: IoctlOutput, _: *mut rustix::ffi::c_void) -> rustix::io::Result<u32> {
        u32::try_from(output).map_err(|_| Errno::INVAL)
    }
}
