"""Synthesises the CDK application offline, and holds what its templates must say.

    python deploy/aws/check.py FOLDER

Needs node, which the CDK runs on; no account and no network. Templates are left in FOLDER.
"""

import json
import sys
from pathlib import Path
from typing import Any

from app import build

Template = dict[str, Any]


def main(folder: Path) -> int:
    build(str(folder)).synth()
    stacks = {
        name: json.loads((folder / f"{name}.template.json").read_text())
        for name in ("RetraceServers", "RetraceEks", "RetraceEc2")
    }
    faults = [*faults_of(stacks)]
    # A check that finds nothing wrong in what is wrong is none.
    planted = json.loads(json.dumps(stacks))
    for each in _of(planted["RetraceServers"], "AWS::RDS::DBInstance"):
        each["MultiAZ"] = False
    for each in _of(planted["RetraceServers"], "AWS::EC2::SecurityGroup"):
        each["SecurityGroupIngress"] = [{"CidrIp": "0.0.0.0/0", "IpProtocol": "-1"}]
    for each in _of(planted["RetraceEks"], "AWS::IAM::Policy"):
        each["PolicyDocument"]["Statement"][0]["Action"] = "s3:*"
    if len([*faults_of(planted)]) != len(faults) + 3:
        faults.append("planted errors are not all caught")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def faults_of(stacks: dict[str, Template]) -> list[str]:
    servers = stacks["RetraceServers"]
    every = [each for stack in stacks.values() for each in stack["Resources"].values()]
    [postgres] = _of(servers, "AWS::RDS::DBInstance")
    [redis] = _of(servers, "AWS::ElastiCache::ReplicationGroup")
    [parameters] = _of(servers, "AWS::ElastiCache::ParameterGroup")
    [kafka] = _of(servers, "AWS::MSK::Cluster")
    [mongodb] = _of(servers, "AWS::DocDB::DBCluster")
    buckets = _of(servers, "AWS::S3::Bucket")
    holds = {
        "PostgreSQL is in several zones, and backed up": postgres["MultiAZ"]
        and postgres["BackupRetentionPeriod"] >= 7
        and postgres["DeletionProtection"],
        "PostgreSQL, MongoDB and Redis are encrypted": postgres["StorageEncrypted"]
        and mongodb["StorageEncrypted"]
        and redis["AtRestEncryptionEnabled"]
        and redis["TransitEncryptionEnabled"],
        "Kafka takes clients over TLS alone": kafka["EncryptionInfo"]["EncryptionInTransit"][
            "ClientBroker"
        ]
        == "TLS",
        "Redis evicts nothing": parameters["Properties"]["maxmemory-policy"] == "noeviction",
        "Redis survives a zone": redis["MultiAZEnabled"] and redis["AutomaticFailoverEnabled"],
        "Kafka has a broker in each of three zones": kafka["NumberOfBrokerNodes"] == 3
        and len(kafka["BrokerNodeGroupInfo"]["ClientSubnets"]) == 3,
        "buckets are versioned, private and encrypted": all(
            each["VersioningConfiguration"]["Status"] == "Enabled"
            and all(each["PublicAccessBlockConfiguration"].values())
            and each["BucketEncryption"]
            and each["LifecycleConfiguration"]
            for each in buckets
        )
        and len(buckets) == 3,
        "no server is open to everybody": "0.0.0.0/0"
        not in json.dumps([_of(servers, "AWS::EC2::SecurityGroup")]).replace(
            json.dumps(_members(servers)), ""
        ),
        "no role may do everything with a service": not any(
            str(action).endswith(":*") or action == "*"
            for each in every
            if each["Type"] == "AWS::IAM::Policy"
            for statement in each["Properties"]["PolicyDocument"]["Statement"]
            for action in _listed(statement["Action"])
        ),
        "keys are turned over": all(e["EnableKeyRotation"] for e in _of(servers, "AWS::KMS::Key")),
        "somebody is told": len(_of(servers, "AWS::CloudWatch::Alarm")) >= 8,
    }
    return [f"it does not hold that {what}" for what, so in holds.items() if not so]


def _members(servers: Template) -> Any:
    """The group of our processes, which reach out."""
    return next(
        each
        for each in _of(servers, "AWS::EC2::SecurityGroup")
        if each["GroupDescription"] == "Processes of Retrace"
    )


def _of(stack: Template, kind: str) -> list[Any]:
    return [each["Properties"] for each in stack["Resources"].values() if each["Type"] == kind]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
