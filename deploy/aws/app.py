"""CDK application: Retrace's servers on AWS, and where its processes run, EKS or plain EC2.

    cdk synth --app "python deploy/aws/app.py"        # or without the cdk command: docs/deployment.md

Context: region, zones, image (an ECR URI by digest), certificate (ARN, for EC2), compute (eks or ec2).
"""

import aws_cdk as cdk

from compute_ec2 import Ec2Stack
from compute_eks import EksStack
from servers import ServersStack

DEFAULTS = {
    "region": "eu-central-1",
    "zones": ["eu-central-1a", "eu-central-1b", "eu-central-1c"],
    "image": "retrace:0.1.0",
    "certificate": "arn:aws:acm:eu-central-1:111122223333:certificate/00000000-0000-0000-0000-000000000000",
    "compute": "both",
}


def build(outdir: str | None = None) -> cdk.App:
    # S3's newer way to be allowed to write logs of accesses: a policy, not an access list.
    newer = {"@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True}
    app = cdk.App(outdir=outdir, analytics_reporting=False, context=newer)
    given = {name: app.node.try_get_context(name) or value for name, value in DEFAULTS.items()}
    env = cdk.Environment(region=str(given["region"]))
    servers = ServersStack(app, "RetraceServers", zones=list(given["zones"]), env=env)
    if given["compute"] in ("eks", "both"):
        EksStack(app, "RetraceEks", servers=servers, env=env)
    if given["compute"] in ("ec2", "both"):
        Ec2Stack(
            app,
            "RetraceEc2",
            servers=servers,
            image=str(given["image"]),
            certificate=str(given["certificate"]),
            env=env,
        )
    cdk.Tags.of(app).add("application", "retrace")
    return app


if __name__ == "__main__":
    build().synth()
