//! Files that are secret by their name.

/// What a file of this name usually holds.
pub fn holds(name: &str) -> Option<(&'static str, &'static str)> {
    let lower = name.to_ascii_lowercase();
    let exact = EXACT.iter().find(|(names, ..)| names.contains(&lower.as_str()));
    if let Some((_, rule, what)) = exact {
        return Some((rule, what));
    }
    let ending = ENDINGS.iter().find(|(endings, ..)| endings.iter().any(|ending| lower.ends_with(ending)));
    if let Some((_, rule, what)) = ending {
        return Some((rule, what));
    }
    is_environment(&lower).then_some(("file-env", "a file of environment variables"))
}

type Row = (&'static [&'static str], &'static str, &'static str);

const EXACT: &[Row] = &[
    (
        &["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk", "identity.key", "secring.gpg"],
        "file-private-key",
        "a file of a private key",
    ),
    (
        &[".netrc", "_netrc", ".pgpass", ".my.cnf", ".pypirc", ".git-credentials", ".dockercfg", ".htpasswd", ".s3cfg"],
        "file-passwords",
        "a file of passwords",
    ),
    (
        &[
            "kubeconfig",
            "credentials",
            "credentials.json",
            "client_secret.json",
            "application_default_credentials.json",
        ],
        "file-credentials",
        "a file of credentials",
    ),
    (&["terraform.tfstate", "terraform.tfstate.backup"], "file-state", "a state of Terraform, which holds secrets"),
    (&["wallet.dat", "shadow", "ntds.dit"], "file-passwords", "a file of keys or passwords"),
];

const ENDINGS: &[Row] = &[
    (&[".p12", ".pfx", ".jks", ".keystore", ".bks", ".ppk", ".agekey"], "file-private-key", "a file of a private key"),
    (&[".kdbx", ".kdb", ".1pif", ".agilekeychain", ".opvault"], "file-passwords", "a file of passwords"),
    (&[".ovpn", ".mobileprovision"], "file-credentials", "a file of credentials"),
];

/// `.env`, `.env.local`, `prod.env`; not those that are there to be copied.
fn is_environment(name: &str) -> bool {
    let copied = ["example", "sample", "template", "dist", "defaults"];
    let mut parts = name.split('.');
    let env = name == ".env" || name.starts_with(".env.") || name.ends_with(".env") || name == ".envrc";
    env && !parts.any(|part| copied.contains(&part))
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn files_of_secrets_are_known_by_name() {
        for name in ["id_ed25519", ".env", ".env.local", "prod.env", "Release.PFX", ".netrc", "vault.kdbx"] {
            assert!(holds(name).is_some(), "{name}");
        }
        for name in ["id_ed25519.pub", ".env.example", "env.rs", "main.rs", "cert.pem", "README.md", "envelope"] {
            assert!(holds(name).is_none(), "{name}");
        }
    }
}
