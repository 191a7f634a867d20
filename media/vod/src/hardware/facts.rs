//! What the system says of this machine's chips: devices, nodes, drivers, libraries. Reading only; what follows from
//! it is in [`super::refusal`]. When all of it is as it was, so is what the chips can do.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A machine, as far as its chips matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The kernel's release.
    pub kernel: String,
    /// The processor's name for itself.
    pub processor: String,
    /// Threads that run at once.
    pub cores: usize,
    /// RAM.
    pub memory_bytes: u64,
    /// Graphics adapters on the PCI bus.
    pub chips: Vec<Chip>,
    /// Device nodes that lead to a chip.
    pub nodes: Vec<Node>,
    /// Drivers' libraries and GStreamer's plugins, of those that anybody asks for.
    pub libraries: Vec<Library>,
}

/// A graphics adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chip {
    /// PCI vendor.
    pub vendor: u16,
    /// PCI device.
    pub device: u16,
    /// The kernel's driver for it, if it has one.
    pub driver: Option<String>,
}

/// A device node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Below `/dev`.
    pub path: String,
    /// The kernel's driver behind it; for a video node its name for itself.
    pub driver: Option<String>,
    /// Whose it is besides its owner's.
    pub group: Option<String>,
    /// Why it does not open for reading and writing, if it does not.
    pub refused: Option<Refused>,
}

/// Why a node does not open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Whether its permissions say so.
    pub is_forbidden: bool,
    /// The system's word.
    pub error: String,
}

/// A file with code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Library {
    /// Its file's name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// When it was written, in seconds since 1970.
    pub modified_s: i64,
}

/// PCI vendors that make chips which encode.
pub const INTEL: u16 = 0x8086;
/// As [`INTEL`].
pub const AMD: u16 = 0x1002;
/// As [`INTEL`].
pub const NVIDIA: u16 = 0x10de;

/// Libraries whose presence decides something, without the folder.
const LIBRARIES: &[&str] = &[
    "libcuda.so.1",
    "libnvidia-encode.so.1",
    "libnvcuvid.so.1",
    "libmfx-gen.so.1.2",
    "libmfxhw64.so.1",
    "libgstnvcodec.so",
    "libgstqsv.so",
    "libgstva.so",
    "libgstvideo4linux2.so",
];
/// How a driver of VA-API ends.
const VA_DRIVER: &str = "_drv_video.so";

impl Machine {
    /// This machine.
    #[must_use]
    pub fn read() -> Self {
        Self::read_below(Path::new("/"))
    }

    /// One whose `/proc`, `/sys`, `/dev`, `/etc` and `/usr` lie below `root`.
    #[must_use]
    pub fn read_below(root: &Path) -> Self {
        let memory = value_of(&text(&root.join("proc/meminfo")), "MemTotal");
        let kib = memory.trim_end_matches("kB").trim().parse::<u64>();
        Self {
            kernel: text(&root.join("proc/sys/kernel/osrelease")),
            processor: value_of(&text(&root.join("proc/cpuinfo")), "model name"),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: kib.unwrap_or_default() * 1024,
            chips: chips(root),
            nodes: nodes(root),
            libraries: libraries(root),
        }
    }

    /// Whether a library is there.
    #[must_use]
    pub fn has(&self, library: &str) -> bool {
        self.libraries.iter().any(|one| one.name == library)
    }
}

/// `name : value` in a file of `/proc`; empty when it is not there.
fn value_of(text: &str, name: &str) -> String {
    let of = |line: &str| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    };
    text.lines().find_map(of).unwrap_or_default()
}

fn chips(root: &Path) -> Vec<Chip> {
    /// PCI base class 3: display controllers.
    const DISPLAY: u32 = 0x03;
    let chip = |folder: PathBuf| {
        let number = |name| hex(&text(&folder.join(name)));
        if number("class")? >> 16 != DISPLAY {
            return None;
        }
        Some(Chip {
            vendor: u16::try_from(number("vendor")?).ok()?,
            device: u16::try_from(number("device")?).ok()?,
            driver: link_name(&folder.join("driver")),
        })
    };
    sorted(&root.join("sys/bus/pci/devices"))
        .into_iter()
        .filter_map(chip)
        .collect()
}

fn nodes(root: &Path) -> Vec<Node> {
    let groups = text(&root.join("etc/group"));
    let dev = root.join("dev");
    let named = |folder: &Path, start: &str| -> Vec<PathBuf> {
        let has_number = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            let rest = name.and_then(|name| name.strip_prefix(start));
            rest.is_some_and(|rest| {
                !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit())
            })
        };
        sorted(folder).into_iter().filter(has_number).collect()
    };
    let render = named(&dev.join("dri"), "renderD").into_iter().map(|path| {
        let driver = format!("sys/class/drm/{}/device/driver", file_name(&path));
        let driver = link_name(&root.join(driver));
        (path, driver)
    });
    let nvidia = named(&dev, "nvidia")
        .into_iter()
        .map(|path| (path, Some("nvidia".to_owned())));
    let video = named(&dev, "video").into_iter().map(|path| {
        let name = format!("sys/class/video4linux/{}/name", file_name(&path));
        let name = text(&root.join(name));
        (path, Some(name).filter(|name| !name.is_empty()))
    });
    let all = render.chain(nvidia).chain(video);
    let node = |(path, driver): (PathBuf, Option<String>)| {
        let below = path.strip_prefix(root).unwrap_or(&path);
        Node {
            path: format!("/{}", below.display()),
            driver,
            group: group(&path, &groups),
            refused: open(&path).err(),
        }
    };
    all.map(node).collect()
}

fn open(path: &Path) -> Result<(), Refused> {
    let opened = fs::File::options().read(true).write(true).open(path);
    opened.map(drop).map_err(|error| Refused {
        is_forbidden: error.kind() == io::ErrorKind::PermissionDenied,
        error: error.to_string(),
    })
}

/// The group's name, or its number where it has none.
fn group(path: &Path, groups: &str) -> Option<String> {
    let id = fs::metadata(path).ok()?.gid().to_string();
    let name = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    });
    Some(name.unwrap_or(id))
}

fn libraries(root: &Path) -> Vec<Library> {
    let arch = format!("{}-linux-gnu", std::env::consts::ARCH);
    let folders = ["usr/lib".to_owned(), format!("usr/lib/{arch}")];
    let below = ["", "dri", "gstreamer-1.0", "nvidia/current"];
    let folders = folders.iter().flat_map(|folder| {
        let folder = root.join(folder);
        below.map(move |name| folder.join(name))
    });
    let library = |path: PathBuf| {
        let name = file_name(&path);
        if !LIBRARIES.contains(&name.as_str()) && !name.ends_with(VA_DRIVER) {
            return None;
        }
        let about = fs::metadata(&path).ok()?;
        Some(Library {
            name,
            bytes: about.len(),
            modified_s: about.mtime(),
        })
    };
    let files = folders.flat_map(|folder| sorted(&folder));
    files.filter_map(library).collect()
}

/// A small file's text without the white space around it; empty when there is none.
fn text(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.trim().to_owned()
}

fn hex(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

fn link_name(link: &Path) -> Option<String> {
    fs::read_link(link).ok().map(|path| file_name(&path))
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// What a folder holds, by name; nothing where there is none.
fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_machine_is_read_from_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(root, "proc/sys/kernel/osrelease", "6.1.0-1-amd64\n");
        write(
            root,
            "proc/cpuinfo",
            "processor\t: 0\nmodel name\t: A Chip 9\n",
        );
        write(root, "proc/meminfo", "MemTotal:       16384 kB\n");
        write(root, "sys/bus/pci/devices/0000:00:02.0/class", "0x030000\n");
        write(root, "sys/bus/pci/devices/0000:00:02.0/vendor", "0x8086\n");
        write(root, "sys/bus/pci/devices/0000:00:02.0/device", "0x46a6\n");
        write(root, "sys/bus/pci/devices/0000:00:1f.3/class", "0x040300\n");
        write(root, "sys/class/drm/renderD128/device/about", "");
        let driver = root.join("sys/bus/pci/devices/0000:00:02.0/driver");
        symlink("../../../bus/pci/drivers/i915", driver).unwrap();
        let driver = root.join("sys/class/drm/renderD128/device/driver");
        symlink("../../../bus/pci/drivers/i915", driver).unwrap();
        write(root, "dev/dri/renderD128", "");
        write(root, "dev/dri/card0", "");
        write(root, "dev/nvidiactl", "");
        write(root, "etc/group", "root:x:0:\nrender:x:104:lectern\n");
        let arch = format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH);
        write(root, &format!("{arch}/dri/iHD_drv_video.so"), "code");
        write(root, &format!("{arch}/libc.so.6"), "code");

        let machine = Machine::read_below(root);
        assert_eq!(machine.kernel, "6.1.0-1-amd64");
        assert_eq!(machine.processor, "A Chip 9");
        assert_eq!(machine.memory_bytes, 16 << 20);
        let chip = Chip {
            vendor: INTEL,
            device: 0x46a6,
            driver: Some("i915".into()),
        };
        assert_eq!(machine.chips, [chip]);
        let [node] = machine.nodes.as_slice() else {
            panic!("{:?}", machine.nodes)
        };
        assert_eq!(node.path, "/dev/dri/renderD128");
        assert_eq!(node.driver.as_deref(), Some("i915"));
        assert_eq!(node.refused, None);
        assert!(machine.has("iHD_drv_video.so"));
        assert_eq!(machine.libraries.len(), 1);
        assert_eq!(machine, Machine::read_below(root));
        write(root, &format!("{arch}/dri/iHD_drv_video.so"), "newer code");
        assert_ne!(machine, Machine::read_below(root));
    }

    #[test]
    fn a_node_that_leads_nowhere_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("dev/video0")).unwrap();
        let machine = Machine::read_below(root);
        let refused = machine.nodes[0].refused.clone().unwrap();
        assert!(!refused.is_forbidden);
        assert!(refused.error.contains("directory"), "{}", refused.error);
    }
}
