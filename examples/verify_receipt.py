#!/usr/bin/env python3
"""Verifies a receipt of a pbft cluster: an independent reading of docs/receipts.md, with nothing but Python 3.

    verify_receipt.py cluster.json FILE...

Prints a line for each receipt: what it proves, as JSON, or why it proves nothing. Exits with 0 when all are valid, with 1
when one is not, and with 2 on wrong usage.
"""

import hashlib
import json
import struct
import sys

OUTCOMES = {1: "EXECUTED", 2: "SESSION_EXPIRED", 3: "SESSION_IN_FUTURE", 4: "OUT_OF_WINDOW", 5: "FAILED", 6: "RESULTS_FULL"}
REPLY_ROOT = 8
CLIENTS_MAX = 65536
BYTES_MAX = 256 << 10
LEAVES_MAX = 65536
PATH_MAX = 32
REPLICAS_MAX = 31


class NotValid(Exception):
    """The receipt proves nothing, and why."""


# Ed25519 (RFC 8032, section 5.1), in extended coordinates. Verification is the cofactored equation of section 5.1.7.

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
IDENTITY = (0, 1, 1, 0)


def add(a, b):
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = 2 * a[3] * b[3] * D % P
    h = 2 * a[2] * b[2] % P
    return (f - e) * (h - g) % P, (h + g) * (f + e) % P, (h - g) * (h + g) % P, (f - e) * (f + e) % P


def times(scalar, point):
    product = IDENTITY
    while scalar:
        if scalar & 1:
            product = add(product, point)
        point = add(point, point)
        scalar >>= 1
    return product


def equal(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def point_of(encoded):
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signature_holds(key, payload, signature):
    a, r, s = point_of(key), point_of(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    if equal(a, IDENTITY) or not equal(times(L, a), IDENTITY):
        return False  # not a key of the prime-order subgroup: whoever chose it could sign in two ways
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + payload).digest(), "little") % L
    return equal(times(8 * s, BASE), add(times(8, r), times(8 * k, a)))


# Digests and the Merkle tree of RFC 9162, section 2.1.


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def root_of(leaf_hash, index, leaves, path):
    """The root that the path leads to (RFC 9162, section 2.1.3.2), or None."""
    node, last, digest = index, leaves - 1, leaf_hash
    for neighbour in path:
        if last == 0:
            return None
        if node & 1 or node == last:
            digest = sha256(b"\x01", neighbour, digest)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            digest = sha256(b"\x01", digest, neighbour)
        node, last = node >> 1, last >> 1
    return digest if last == 0 else None


# The receipt.


class Reader:
    def __init__(self, content):
        self.content, self.at = content, 0

    def raw(self, size):
        if self.at + size > len(self.content):
            raise NotValid("the receipt ends early: it has only %d bytes" % len(self.content))
        self.at += size
        return self.content[self.at - size : self.at]

    def u8(self):
        return self.raw(1)[0]

    def u32(self, field, low, high):
        (number,) = struct.unpack(">I", self.raw(4))
        if not low <= number <= high:
            raise NotValid("%s: expected a number from %d to %d, found %d" % (field, low, high, number))
        return number

    def i64(self):
        return struct.unpack(">q", self.raw(8))[0]

    def count(self, field, high):
        count = self.u8()
        if count > high:
            raise NotValid("%s: at most %d are allowed, found %d" % (field, high, count))
        return count


def verify(config, content):
    """Returns what the receipt proves; raises NotValid when it proves nothing."""
    receipt = Reader(content)
    if receipt.raw(8) != b"PBFTRCPT":
        raise NotValid("not a receipt: it does not begin with PBFTRCPT")
    if receipt.u8() != 1:
        raise NotValid("only version 1 is known")
    cluster_id = receipt.raw(32)
    if cluster_id != bytes.fromhex(config["clusterId"]):
        raise NotValid("it is of another cluster, " + cluster_id.hex())

    leaf_begins = receipt.at
    client = receipt.u32("client", 0, CLIENTS_MAX - 1)
    epoch, number, seq, time_millis = (receipt.i64() for _ in range(4))
    operation_digest = receipt.raw(32)
    outcome = receipt.u8()
    if outcome not in OUTCOMES:
        raise NotValid("outcome %d is not known" % outcome)
    result_digest = receipt.raw(32)
    leaf_hash = sha256(b"\x00", content[leaf_begins : receipt.at])

    operation = receipt.raw(receipt.u32("operation size", 0, BYTES_MAX))
    result = receipt.raw(receipt.u32("result size", 0, BYTES_MAX))
    if sha256(operation) != operation_digest:
        raise NotValid("the operation's bytes do not have the digest in the leaf")
    if sha256(result) != result_digest:
        raise NotValid("the result's bytes do not have the digest in the leaf")

    keys = [bytes.fromhex(replica["publicKey"]) for replica in config["replicas"]]
    signed = []
    for _ in range(receipt.count("trees", REPLICAS_MAX)):
        leaves = receipt.u32("leaves", 1, LEAVES_MAX)
        index = receipt.u32("index", 0, leaves - 1)
        path = [receipt.raw(32) for _ in range(receipt.count("path", PATH_MAX))]
        root = root_of(leaf_hash, index, leaves, path)
        if root is None:
            raise NotValid("no tree of %d leaves has a path of %d digests at leaf %d" % (leaves, len(path), index))
        for _ in range(receipt.count("signatures", REPLICAS_MAX)):
            replica, view = receipt.u8(), receipt.raw(8)
            signature = receipt.raw(64)
            if replica >= len(keys):
                raise NotValid("the cluster has no replica %d" % replica)
            if replica in signed:
                raise NotValid("replica %d stands in it twice" % replica)
            statement = sha256(view, root, struct.pack(">I", leaves), bytes([replica]))
            payload = b"pbft.v1" + bytes([REPLY_ROOT]) + cluster_id + statement
            if not signature_holds(keys[replica], payload, signature):
                raise NotValid("the signature of replica %d is not valid" % replica)
            signed.append(replica)
    if receipt.at != len(content):
        raise NotValid("%d bytes follow after the receipt's end" % (len(content) - receipt.at))
    needed = (len(keys) - 1) // 3 + 1
    if len(signed) < needed:
        raise NotValid("it has %d signatures; %d are needed" % (len(signed), needed))
    return {
        "client": client,
        "epoch": epoch,
        "number": number,
        "seq": seq,
        "timeMillis": time_millis,
        "outcome": OUTCOMES[outcome],
        "operation": operation.hex(),
        "result": result.hex(),
        "replicas": sorted(signed),
    }


def main(arguments):
    if len(arguments) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    with open(arguments[1], encoding="utf-8") as file:
        config = json.load(file)
    exit_code = 0
    for name in arguments[2:]:
        with open(name, "rb") as file:
            content = file.read()
        try:
            print(json.dumps(verify(config, content)))
        except NotValid as why:
            print("not valid: %s" % why)
            exit_code = 1
    return exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv))
