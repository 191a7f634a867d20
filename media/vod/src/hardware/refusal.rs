//! Why a chip is not used, as sentences for whoever runs the box, each with what would help. Pure.

use serde::{Deserialize, Serialize};

use super::Family;
use super::facts::{AMD, Chip, INTEL, Machine, NVIDIA, Node};

/// Why something is not to be had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Refusal {
    /// Nothing to try.
    #[error("This machine has no such chip.")]
    NoChip,
    /// There is one, and the kernel does nothing with it.
    #[error("There is a chip ({chip}), but the kernel has no driver that opens it to programs.")]
    NoKernelDriver {
        /// In words.
        chip: String,
    },
    /// Permissions.
    #[error(
        "{node} may not be opened. It belongs to the group “{group}”: make the account that runs Lectern a member of it, then start Lectern again."
    )]
    NotPermitted {
        /// Below `/dev`.
        node: String,
        /// By name, or by number where it has none.
        group: String,
    },
    /// Whatever else keeps a node shut.
    #[error("{node} does not open: {error}.")]
    NodeShut {
        /// Below `/dev`.
        node: String,
        /// The system's word.
        error: String,
    },
    /// A part of GStreamer.
    #[error("GStreamer’s plugin “{plugin}” is missing. Debian has it in {package}.")]
    NoPlugin {
        /// As GStreamer calls it.
        plugin: String,
        /// Debian's.
        package: String,
    },
    /// The maker's part.
    #[error("The driver library {library} is missing. Debian has it in {package}.")]
    NoLibrary {
        /// Its file.
        library: String,
        /// Debian's.
        package: String,
    },
    /// All is there, and nothing comes of it.
    #[error("Chip and driver are there, but offer nothing that can be used{}.", reported(.said))]
    OffersNothing {
        /// What plugin or driver said.
        said: Option<String>,
    },
    /// It is no help where videos are prepared.
    #[error("It decodes only: this chip, or its driver, offers no encoder.")]
    NoEncoder,
    /// The pipeline ended with an error.
    #[error("The test clip did not go through: {}.", .said.trim_end_matches('.'))]
    Failed {
        /// What was said.
        said: String,
    },
    /// Frames were lost or made up.
    #[error("Of {sent} frames of the test clip, {came} came back.")]
    Frames {
        /// In.
        sent: u64,
        /// Out.
        came: u64,
    },
    /// Something else came out.
    #[error("What came back is not the test clip (PSNR {psnr_db:.1} dB).")]
    Unlike {
        /// How far from it.
        psnr_db: f64,
    },
    /// Rungs could not be cut in step.
    #[error("It makes key frames where it wants and not where they are asked for.")]
    KeyFrames,
    /// The child is gone.
    #[error("Its driver crashed{}.", match .signal { Some(signal) => format!(" (signal {signal})"), None => String::new() })]
    Crashed {
        /// By which signal; none where it went without one.
        signal: Option<i32>,
    },
    /// The child says nothing.
    #[error("It gave no answer within {seconds} s.")]
    Stuck {
        /// How long was waited.
        seconds: u64,
    },
    /// Nothing to try a decoder with.
    #[error("Nothing here can make a test clip of this codec.")]
    NoClip,
}

fn reported(said: &Option<String>) -> String {
    said.as_ref()
        .map_or_else(String::new, |said| format!(" ({said})"))
}

/// The kernel's drivers, what VA-API needs for each, and where Debian has it. Of several for one driver any will do; the
/// first is recommended.
const VA_DRIVERS: &[(&str, &str, &str)] = &[
    ("i915", "iHD_drv_video.so", "intel-media-va-driver"),
    ("i915", "i965_drv_video.so", "i965-va-driver"),
    ("xe", "iHD_drv_video.so", "intel-media-va-driver"),
    ("amdgpu", "radeonsi_drv_video.so", "mesa-va-drivers"),
    ("radeon", "r600_drv_video.so", "mesa-va-drivers"),
    ("nouveau", "nouveau_drv_video.so", "mesa-va-drivers"),
];

impl Refusal {
    /// What can be said without loading a driver; none where it is worth trying.
    #[must_use]
    pub fn known_before(family: Family, machine: &Machine) -> Option<Self> {
        let nodes: Vec<&Node> = machine
            .nodes
            .iter()
            .filter(|node| leads_to(family, node))
            .collect();
        if nodes.is_empty() {
            let chip = machine.chips.iter().find(|chip| makes(family, chip));
            return Some(chip.map_or(Self::NoChip, |chip| Self::NoKernelDriver {
                chip: chip.words(),
            }));
        }
        all_shut(&nodes)
    }

    /// What can be said when a family's plugin offers nothing. Where libraries lie is only known by custom, so one that
    /// is missed explains, and does not decide.
    #[must_use]
    pub fn nothing_offered(family: Family, machine: &Machine, said: Option<String>) -> Self {
        let plugin = family.plugin();
        if !machine.has(&format!("libgst{plugin}.so")) {
            let package = match family {
                Family::V4l2 => "gstreamer1.0-plugins-good",
                Family::Nvidia | Family::Qsv | Family::Vaapi => "gstreamer1.0-plugins-bad",
            };
            return Self::NoPlugin {
                plugin: plugin.to_owned(),
                package: package.to_owned(),
            };
        }
        if let Some((library, package)) = missing_library(family, machine) {
            return Self::NoLibrary {
                library: library.to_owned(),
                package: package.to_owned(),
            };
        }
        // Every camera has a video node, and none of them codes for others.
        match family == Family::V4l2 && said.is_none() {
            true => Self::NoChip,
            false => Self::OffersNothing { said },
        }
    }
}

/// Why none of the nodes opens; none where one does.
fn all_shut(nodes: &[&Node]) -> Option<Refusal> {
    let mut why = None;
    for node in nodes {
        let refused = node.refused.as_ref()?;
        let (node, group) = (node.path.clone(), node.group.clone());
        why.get_or_insert_with(|| match refused.is_forbidden {
            true => Refusal::NotPermitted {
                node,
                group: group.unwrap_or_default(),
            },
            false => Refusal::NodeShut {
                node,
                error: refused.error.clone(),
            },
        });
    }
    why
}

fn leads_to(family: Family, node: &Node) -> bool {
    let is_render = node.path.starts_with("/dev/dri/");
    let driver = node.driver.as_deref();
    match family {
        Family::Nvidia => node.path.starts_with("/dev/nvidia"),
        Family::Qsv => is_render && matches!(driver, Some("i915" | "xe")),
        // NVIDIA's own driver does not speak it.
        Family::Vaapi => is_render && driver != Some("nvidia"),
        Family::V4l2 => node.path.starts_with("/dev/video"),
    }
}

fn makes(family: Family, chip: &Chip) -> bool {
    match family {
        Family::Nvidia => chip.vendor == NVIDIA,
        Family::Qsv => chip.vendor == INTEL,
        Family::Vaapi => [INTEL, AMD].contains(&chip.vendor),
        // Such chips are on no bus that lists them.
        Family::V4l2 => false,
    }
}

fn missing_library(family: Family, machine: &Machine) -> Option<(&'static str, &'static str)> {
    match family {
        Family::Nvidia => [
            ("libcuda.so.1", "libcuda1"),
            ("libnvidia-encode.so.1", "libnvidia-encode1"),
        ]
        .into_iter()
        .find(|(library, _)| !machine.has(library)),
        Family::Qsv => {
            let has = ["libmfx-gen.so.1.2", "libmfxhw64.so.1"]
                .iter()
                .any(|one| machine.has(one));
            (!has).then_some(("libmfx-gen.so.1.2", "libmfx-gen1.2"))
        }
        Family::Vaapi => {
            let nodes = machine.nodes.iter().filter(|node| leads_to(family, node));
            let drivers: Vec<&str> = nodes.filter_map(|node| node.driver.as_deref()).collect();
            let of_theirs = || {
                VA_DRIVERS
                    .iter()
                    .filter(|(kernel, ..)| drivers.contains(kernel))
            };
            let has = of_theirs().any(|(_, library, _)| machine.has(library));
            let first = of_theirs().next().filter(|_| !has);
            first.map(|&(_, library, package)| (library, package))
        }
        Family::V4l2 => None,
    }
}

impl Chip {
    /// For a person.
    #[must_use]
    pub fn words(&self) -> String {
        let maker = match self.vendor {
            INTEL => "Intel",
            AMD => "AMD",
            NVIDIA => "NVIDIA",
            _ => "PCI",
        };
        format!("{maker} {:04x}:{:04x}", self.vendor, self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::{Library, Refused};
    use super::*;

    fn machine() -> Machine {
        Machine {
            kernel: "6.1".into(),
            processor: "A Chip".into(),
            cores: 2,
            memory_bytes: 1,
            chips: Vec::new(),
            nodes: Vec::new(),
            libraries: Vec::new(),
        }
    }

    fn chip(vendor: u16) -> Chip {
        Chip {
            vendor,
            device: 0x1234,
            driver: None,
        }
    }

    fn node(path: &str, driver: &str) -> Node {
        Node {
            path: path.into(),
            driver: Some(driver.into()),
            group: Some("render".into()),
            refused: None,
        }
    }

    fn library(name: &str) -> Library {
        Library {
            name: name.into(),
            bytes: 1,
            modified_s: 1,
        }
    }

    fn before(family: Family, machine: &Machine) -> String {
        let refusal = Refusal::known_before(family, machine);
        refusal.map_or_else(String::new, |refusal| refusal.to_string())
    }

    fn after(family: Family, machine: &Machine) -> String {
        Refusal::nothing_offered(family, machine, Some("no entry point".into())).to_string()
    }

    #[test]
    fn an_empty_machine_has_no_chip_of_any_family() {
        for family in Family::ALL {
            assert_eq!(
                Refusal::known_before(family, &machine()),
                Some(Refusal::NoChip)
            );
        }
    }

    #[test]
    fn step_by_step_the_next_thing_that_is_missing_is_named() {
        let mut machine = machine();
        machine.chips.push(chip(INTEL));
        assert!(before(Family::Vaapi, &machine).contains("Intel 8086:1234"));
        assert_eq!(
            before(Family::Nvidia, &machine),
            Refusal::NoChip.to_string()
        );

        let mut shut = node("/dev/dri/renderD128", "i915");
        shut.refused = Some(Refused {
            is_forbidden: true,
            error: "Permission denied (os error 13)".into(),
        });
        machine.nodes.push(shut);
        let sentence = before(Family::Vaapi, &machine);
        assert!(sentence.contains("/dev/dri/renderD128"), "{sentence}");
        assert!(sentence.contains("“render”"), "{sentence}");

        machine.nodes[0].refused = None;
        assert_eq!(before(Family::Vaapi, &machine), "", "it is worth trying");
        assert!(after(Family::Vaapi, &machine).contains("“va” is missing"));
        machine.libraries.push(library("libgstva.so"));
        assert!(after(Family::Vaapi, &machine).contains("intel-media-va-driver"));
        machine.libraries.push(library("i965_drv_video.so"));
        assert!(
            after(Family::Vaapi, &machine).contains("(no entry point)"),
            "an older driver does"
        );
        machine.libraries.push(library("libgstqsv.so"));
        assert!(after(Family::Qsv, &machine).contains("libmfx-gen1.2"));
    }

    #[test]
    fn nvidias_own_driver_is_no_way_for_va() {
        let mut machine = machine();
        machine.chips.push(chip(NVIDIA));
        machine.nodes = vec![
            node("/dev/dri/renderD128", "nvidia"),
            node("/dev/nvidia0", "nvidia"),
        ];
        machine.libraries = vec![library("libgstnvcodec.so"), library("libcuda.so.1")];
        assert_eq!(before(Family::Vaapi, &machine), Refusal::NoChip.to_string());
        assert_eq!(before(Family::Nvidia, &machine), "");
        assert!(after(Family::Nvidia, &machine).contains("libnvidia-encode1"));
    }

    #[test]
    fn a_camera_is_no_chip() {
        let mut machine = machine();
        machine.nodes.push(node("/dev/video0", "Camera"));
        machine.libraries.push(library("libgstvideo4linux2.so"));
        assert_eq!(Refusal::known_before(Family::V4l2, &machine), None);
        let refusal = Refusal::nothing_offered(Family::V4l2, &machine, None);
        assert_eq!(refusal, Refusal::NoChip);
    }

    #[test]
    fn one_node_that_opens_is_enough() {
        let mut machine = machine();
        let mut shut = node("/dev/dri/renderD128", "amdgpu");
        shut.refused = Some(Refused {
            is_forbidden: false,
            error: "No such device (os error 19)".into(),
        });
        machine.nodes = vec![shut];
        assert!(before(Family::Vaapi, &machine).contains("No such device"));
        machine.nodes.push(node("/dev/dri/renderD129", "amdgpu"));
        assert_eq!(before(Family::Vaapi, &machine), "");
    }
}
