//! Disks, and the machine itself.

use super::{Rule, Seen, inner};
use crate::danger::Risk;
use crate::danger::call::Call;
use crate::paths;

pub const RULES: &[Rule] = &[DISK_RULE, STOP, FORK_RULE];

const DISK_RULE: Rule = Rule {
    id: "disk-destruction",
    risk: Risk::High,
    reason: "It formats, partitions or overwrites a disk.",
    seen: Seen::Call(destroys),
    dangerous: &[
        "mkfs.ext4 /dev/sda1",
        "dd if=/dev/zero of=/dev/sda",
        "dd if=x.img of=/dev/nvme0n1 bs=1M",
        "wipefs -a /dev/sdb",
        "fdisk /dev/sda",
        "zpool destroy tank",
        "lvremove vg/data",
        "cryptsetup luksFormat /dev/sda2",
        "diskutil eraseDisk JHFS+ x disk2",
        "format c:",
        "Format-Volume -DriveLetter C",
        "vssadmin delete shadows /all",
        "cat x > /dev/sda",
        "cp x.img /dev/sdb",
        "blkdiscard /dev/sda",
    ],
    harmless: &[
        "fdisk -l",
        "lsblk",
        "df -h",
        "dd if=a of=b.img count=1",
        "parted -l",
        "diskutil list",
        "zpool status",
        "cargo fmt",
        "format_code src",
        "echo x > /dev/null",
    ],
};

const STOP: Rule = Rule {
    id: "stop-machine",
    risk: Risk::High,
    reason: "It stops the machine, or all that runs on it.",
    seen: Seen::Call(stops),
    dangerous: &["shutdown -h now", "reboot", "systemctl poweroff", "kill -9 -1", "init 0", "Stop-Computer"],
    harmless: &["kill 1234", "systemctl status x", "git init", "kill -9 4242", "npm init -y"],
};

const FORK_RULE: Rule = Rule {
    id: "fork-bomb",
    risk: Risk::High,
    reason: "It starts itself again and again until the machine stands still.",
    seen: Seen::Command,
    dangerous: &[":(){ :|:& };:", "f() { f | f & }; f"],
    harmless: &["f() { g | h; }; f"],
};

/// Seen by the walk, at a redirection.
pub const DISK: &Rule = &DISK_RULE;
pub const FORK_BOMB: &Rule = &FORK_RULE;

fn destroys(call: &Call<'_>) -> bool {
    if call.name.starts_with("mkfs") || call.name.starts_with("newfs") {
        return true;
    }
    let lists = call.option('l', "list");
    match call.name.as_str() {
        "mke2fs" | "mkswap" | "blkdiscard" | "lvremove" | "vgremove" | "pvremove" | "diskpart" | "clear-disk"
        | "format-volume" | "initialize-disk" | "remove-partition" | "bcdedit" | "shred-disk" => true,
        "fdisk" | "sfdisk" | "gdisk" | "sgdisk" | "cfdisk" | "wipefs" => {
            !lists && !call.option('p', "print") && call.operands().next().is_some()
        }
        "parted" => !lists && call.operands().nth(1).is_some_and(|text| text != "print"),
        "dd" => call.texts().filter_map(|text| text.strip_prefix("of=")).any(paths::device),
        "format" => call.texts().any(|text| text.len() == 2 && text.ends_with(':')),
        "zpool" | "zfs" => call.begins(&["destroy"]) || call.begins(&["labelclear"]),
        "cryptsetup" => call.operands().any(|text| text == "luksFormat" || text == "erase" || text == "luksErase"),
        "mdadm" => call.has(&["--zero-superblock"]),
        "nvme" => call.begins(&["format"]) || call.begins(&["sanitize"]),
        "hdparm" => call.texts().any(|text| text.starts_with("--security-erase") || text == "--trim-sector-ranges"),
        "badblocks" => call.option('w', ""),
        "diskutil" => inner(call, &[]).is_some_and(|verb| {
            ["erase", "partition", "reformat", "zero", "random", "secureerase"]
                .iter()
                .any(|start| verb.name.starts_with(start))
                || (verb.name == "apfs" && verb.operands().any(|text| text.starts_with("delete")))
        }),
        "vssadmin" | "wbadmin" => call.begins(&["delete"]),
        "cipher" => call.texts().any(|text| text.to_lowercase().starts_with("/w")),
        "cp" | "mv" | "tee" | "install" | "truncate" | "shred" | "pv" => call.operands().any(paths::device),
        _ => false,
    }
}

fn stops(call: &Call<'_>) -> bool {
    match call.name.as_str() {
        "shutdown" | "reboot" | "halt" | "poweroff" | "stop-computer" | "restart-computer" => true,
        "init" | "telinit" => matches!(call.operand(0), "0" | "6"),
        "systemctl" => call.operands().any(|text| matches!(text, "poweroff" | "reboot" | "halt" | "kexec" | "rescue")),
        "kill" => call.texts().skip(1).any(|text| text == "-1"),
        _ => false,
    }
}
