//! Things that run elsewhere: clouds, clusters, containers.

use super::{Rule, Seen, inner};
use crate::danger::Risk;
use crate::danger::call::Call;

pub const RULES: &[Rule] = &[Rule {
    id: "cloud-teardown",
    risk: Risk::High,
    reason: "It tears down what runs in a cloud, a cluster or containers, or its data.",
    seen: Seen::Call(tears_down),
    dangerous: &[
        "terraform destroy -auto-approve",
        "terraform -chdir=x destroy",
        "terraform apply -destroy",
        "terraform state rm x",
        "pulumi destroy --yes",
        "aws s3 rb s3://x --force",
        "aws s3 rm s3://x --recursive",
        "aws ec2 terminate-instances --instance-ids i-1",
        "aws --profile x rds delete-db-instance --db-instance-identifier x",
        "gcloud projects delete x",
        "gcloud compute instances delete x",
        "gsutil -m rm -r gs://x",
        "az group delete --name x",
        "kubectl delete namespace prod",
        "kubectl -n prod delete pod x",
        "kubectl drain node1",
        "helm uninstall x",
        "docker system prune -af",
        "docker volume rm x",
        "docker compose down -v",
        "heroku apps:destroy x",
        "flyctl apps destroy x",
        "doctl compute droplet delete 1",
        "gh repo delete alice/x",
        "cdk destroy",
        "sls remove",
    ],
    harmless: &[
        "terraform plan",
        "terraform fmt",
        "aws s3 ls",
        "aws ec2 describe-instances",
        "gcloud projects list",
        "az group list",
        "kubectl get pods",
        "kubectl logs delete-me",
        "helm list",
        "docker ps",
        "docker compose up -d",
        "docker build -t x .",
        "docker compose down",
        "gh pr list",
        "heroku logs",
        "docker images",
        "kubectl describe pod x",
    ],
}];

const VALUED: &[&str] = &[
    "-n",
    "--namespace",
    "--context",
    "--kubeconfig",
    "--profile",
    "--region",
    "--project",
    "-p",
    "-f",
    "--file",
    "--output",
    "--kube-context",
    "-H",
    "--host",
    "-c",
    "--endpoint-url",
    "--cluster",
    "--account",
    "--stack",
    "-a",
    "--app",
    "-C",
    "--cwd",
    "--project-name",
    "--config",
    "-R",
    "--repo",
    "--server",
    "-s",
    "--token",
    "--user",
];

fn tears_down(call: &Call<'_>) -> bool {
    let Some(verb) = inner(call, VALUED) else { return false };
    let words: Vec<&str> = std::iter::once(verb.name.as_str()).chain(verb.operands()).collect();
    let any = |names: &[&str]| words.iter().take(4).any(|word| names.contains(word));
    match call.name.as_str() {
        "terraform" | "tofu" | "terragrunt" => {
            any(&["destroy"])
                || verb.texts().any(|text| text.ends_with("-destroy"))
                || (words[0] == "state" && any(&["rm"]))
        }
        "pulumi" | "cdk" | "cdktf" | "eb" => any(&["destroy", "terminate"]) || (words[0] == "stack" && any(&["rm"])),
        "sls" | "serverless" | "sst" | "amplify" => any(&["remove", "delete"]),
        "aws" => aws(&words, &verb),
        "gcloud" | "az" | "doctl" | "linode-cli" | "hcloud" | "oci" | "ibmcloud" | "scw" | "eksctl" | "kops"
        | "kind" | "k3d" | "minikube" | "civo" | "vultr-cli" | "exo" | "openstack" | "sam" | "wrangler" | "argocd"
        | "copilot" | "azd" | "vault" => words
            .iter()
            .take(5)
            .any(|word| matches!(*word, "delete" | "destroy" | "purge" | "del" | "down" | "remove" | "terminate")),
        "gsutil" => any(&["rm", "rb"]),
        "kubectl" | "oc" | "k" => {
            matches!(words[0], "delete" | "drain")
                || (words[0] == "scale" && verb.has(&["--replicas=0"]))
                || verb.has(&["--force"])
        }
        "helm" => matches!(words[0], "uninstall" | "delete" | "rollback"),
        "docker" | "podman" | "nerdctl" | "docker-compose" => containers(&call.name, &words, &verb),
        "heroku" => words[0].ends_with(":destroy") || words[0].ends_with(":reset") || words[0] == "destroy",
        "fly" | "flyctl" | "railway" | "render" | "nomad" | "consul" => any(&["destroy", "delete", "-purge"]),
        "vercel" | "netlify" | "firebase" | "surge" => {
            any(&["rm", "remove", "teardown"]) || words[0].contains(":delete") || words[0].ends_with(":disable")
        }
        "gh" | "glab" | "hub" => any(&["delete", "archive"]),
        "virsh" => any(&["destroy", "undefine"]),
        "vagrant" => any(&["destroy"]),
        _ => false,
    }
}

fn aws(words: &[&str], verb: &Call<'_>) -> bool {
    let action = words.get(1).copied().unwrap_or_default();
    let starts = [
        "delete-",
        "terminate-",
        "deregister-",
        "remove-",
        "purge-",
        "destroy-",
        "stop-",
        "disable-",
        "detach-",
        "batch-delete",
    ];
    starts.iter().any(|start| action.starts_with(start))
        || (words[0] == "s3" && (action == "rb" || (action == "rm") || verb.has(&["--delete"])))
}

fn containers(name: &str, words: &[&str], verb: &Call<'_>) -> bool {
    let (first, second) = (words[0], words.get(1).copied().unwrap_or_default());
    let composed =
        |verb: &str| (name == "docker-compose" && first == verb) || (first == "compose" && words.contains(&verb));
    let rest_has_v = verb.option('v', "volumes");
    second == "prune"
        || (first == "volume" && second == "rm")
        || (matches!(first, "stack" | "service" | "swarm" | "network" | "secret" | "config")
            && matches!(second, "rm" | "leave"))
        || (matches!(first, "rm" | "rmi") && verb.option('f', "force"))
        || (composed("down") && (rest_has_v || verb.has(&["--rmi"])))
        || (composed("rm") && rest_has_v)
}
