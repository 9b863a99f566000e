//! Rights: who one is, and who may what.

use super::{Rule, Seen, inner};
use crate::danger::Risk;
use crate::danger::call::Call;

pub const RULES: &[Rule] = &[
    Rule {
        id: "raised-rights",
        risk: Risk::High,
        reason: "It runs as another user, mostly as the one who may do anything.",
        seen: Seen::Call(raises),
        dangerous: &[
            "sudo ls",
            "sudo -u alice id",
            "doas ls",
            "su -c 'ls'",
            "su - root",
            "pkexec ls",
            "env sudo ls",
            "ls && sudo ls",
            "runas /user:Administrator cmd",
            "Start-Process x -Verb RunAs",
        ],
        harmless: &["whoami", "id", "man sudo", "echo sudo ls", "which sudo", "env | sort"],
    },
    Rule {
        id: "changed-rights",
        risk: Risk::High,
        reason: "It changes who may read, write or run files, or who has an account.",
        seen: Seen::Call(changes),
        dangerous: &[
            "chmod 777 x",
            "chmod +x run.sh",
            "chmod -R a+w .",
            "chown -R alice x",
            "chgrp staff x",
            "setfacl -m u:alice:rw x",
            "chattr -i x",
            "setcap cap_net_raw+ep x",
            "usermod -aG docker alice",
            "useradd mallory",
            "passwd alice",
            "visudo",
            "icacls x /grant Everyone:F",
            "takeown /f x",
            "net user mallory x /add",
            "Set-ExecutionPolicy Bypass",
            "iptables -F",
            "ufw disable",
            "setenforce 0",
            "aws iam attach-user-policy --user-name x",
            "kubectl create clusterrolebinding x --clusterrole=cluster-admin",
            "gh auth login",
            "umask 000",
        ],
        harmless: &[
            "ls -l",
            "stat x",
            "getfacl x",
            "net start",
            "aws iam list-users",
            "groups",
            "umask",
            "getent passwd",
            "iptables -L",
            "gh auth status",
        ],
    },
    Rule {
        id: "open-container",
        risk: Risk::High,
        reason: "It starts a container that may change the machine around it.",
        seen: Seen::Call(opens),
        dangerous: &[
            "docker run --privileged x",
            "docker run -v /:/host alpine ls",
            "docker run -v /var/run/docker.sock:/s x",
            "docker run --pid=host x",
            "nsenter -t 1 -m ls",
        ],
        harmless: &["docker run --rm -v ./src:/src x", "docker run -p 80:80 nginx", "docker exec web ls"],
    },
    Rule {
        id: "runs-later",
        risk: Risk::High,
        reason: "It makes something run later, or at each start, by itself.",
        seen: Seen::Call(schedules),
        dangerous: &[
            "crontab x",
            "echo '* * * * * x' | crontab -",
            "systemctl enable x",
            "systemctl --user enable --now x",
            "launchctl load x.plist",
            "schtasks /create /tn x /tr y",
            "at now + 1 minute",
            "reg add HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run /v x",
            "systemctl stop nginx",
        ],
        harmless: &[
            "crontab -l",
            "systemctl status nginx",
            "launchctl list",
            "schtasks /query",
            "journalctl -u nginx",
            "systemctl list-units",
        ],
    },
];

fn raises(call: &Call<'_>) -> bool {
    match call.name.as_str() {
        "sudo" | "doas" | "su" | "pkexec" | "runas" | "gsudo" | "sudoedit" | "runuser" | "gosu" | "setpriv"
        | "kdesu" | "gksu" => true,
        "start-process" | "saps" | "start" => call.says(&["runas"]),
        _ => false,
    }
}

fn changes(call: &Call<'_>) -> bool {
    match call.name.as_str() {
        "chmod"
        | "chown"
        | "chgrp"
        | "setfacl"
        | "chattr"
        | "chflags"
        | "setcap"
        | "usermod"
        | "useradd"
        | "adduser"
        | "userdel"
        | "deluser"
        | "groupadd"
        | "groupdel"
        | "groupmod"
        | "gpasswd"
        | "passwd"
        | "chpasswd"
        | "visudo"
        | "vipw"
        | "chsh"
        | "takeown"
        | "cacls"
        | "set-acl"
        | "set-executionpolicy"
        | "setenforce"
        | "csrutil"
        | "spctl"
        | "dscl"
        | "tccutil"
        | "xattr"
        | "add-localgroupmember"
        | "new-localuser"
        | "set-mppreference"
        | "ssh-copy-id" => {
            !call.texts().all(|text| matches!(text, "--help" | "--version")) || call.arguments.is_empty()
        }
        "icacls" => call.texts().any(|text| {
            ["/grant", "/deny", "/remove", "/setowner", "/reset", "/inheritance"]
                .iter()
                .any(|start| text.to_lowercase().starts_with(start))
        }),
        "net" | "net1" => {
            (call.begins(&["user"]) || call.begins(&["localgroup"])) && call.says(&["/add", "/delete", "/active:yes"])
        }
        "iptables" | "ip6tables" | "nft" => {
            !call.option('L', "list")
                && !call.option('S', "list-rules")
                && !call.begins(&["list"])
                && !call.arguments.is_empty()
        }
        "ufw" | "firewall-cmd" | "netsh" | "pfctl" => {
            !call.texts().all(|text| matches!(text, "status" | "verbose" | "--list-all" | "--state" | "show"))
        }
        "umask" => matches!(call.operand(0), "0" | "00" | "000" | "0000"),
        "aws" => inner(call, &["--profile", "--region"]).is_some_and(|verb| {
            let action = verb.operand(0);
            verb.name == "iam" && !["list", "get", "generate", "simulate"].iter().any(|start| action.starts_with(start))
        }),
        "gcloud" | "az" => {
            call.operands().any(|text| matches!(text, "add-iam-policy-binding" | "set-iam-policy" | "assignment"))
        }
        "kubectl" | "oc" => {
            call.operands().any(|text| matches!(text, "clusterrolebinding" | "rolebinding" | "clusterrole"))
                && call.operands().any(|text| text == "create")
        }
        "gh" => {
            (call.begins(&["auth"]) && !matches!(call.operand(1), "status"))
                || call.begins(&["secret", "set"])
                || call.begins(&["ssh-key", "add"])
        }
        "install" => call.value("-m", "--mode").is_some_and(|mode| mode.len() > 3 && mode.starts_with(['2', '4', '6'])),
        _ => false,
    }
}

fn opens(call: &Call<'_>) -> bool {
    if call.name == "nsenter" {
        return true;
    }
    let host = |text: &str| {
        let value = text.split_once('=').map_or(text, |(_, value)| value);
        value.starts_with("/:")
            || value.contains("docker.sock")
            || ["/etc:", "/root:", "/home:", "/var:"].iter().any(|place| value.starts_with(place))
            || value.contains("source=/,")
            || value.contains("src=/,")
    };
    let flags = [
        "--privileged",
        "--privileged=true",
        "--pid=host",
        "--net=host",
        "--network=host",
        "--ipc=host",
        "--userns=host",
        "--cap-add=all",
        "--cap-add=sys_admin",
    ];
    call.is(&["docker", "podman", "nerdctl"])
        && call.operands().take(3).any(|text| matches!(text, "run" | "create" | "exec"))
        && (call.texts().any(host) || call.says(&flags))
}

fn schedules(call: &Call<'_>) -> bool {
    match call.name.as_str() {
        "crontab" => !call.option('l', ""),
        "at" | "batch" => call.operands().next().is_some() && !call.option('l', ""),
        "systemctl" | "service" | "rc-update" | "sc" | "initctl" => {
            let verbs = [
                "enable",
                "disable",
                "mask",
                "unmask",
                "stop",
                "start",
                "restart",
                "create",
                "delete",
                "link",
                "edit",
                "config",
                "add",
                "del",
                "reenable",
                "set-property",
                "isolate",
            ];
            call.operands().take(2).any(|text| verbs.contains(&text))
        }
        "launchctl" => call.operands().take(1).any(|text| {
            matches!(
                text,
                "load" | "unload" | "bootstrap" | "bootout" | "submit" | "enable" | "disable" | "remove" | "kickstart"
            )
        }),
        "schtasks" => call.says(&["/create", "/change", "/delete", "/run"]),
        "reg" => call.begins(&["add"]) || call.begins(&["delete"]) || call.begins(&["import"]),
        "register-scheduledtask" | "new-service" | "set-itemproperty" | "new-itemproperty" | "regedit" => true,
        _ => false,
    }
}
