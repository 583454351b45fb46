"""Reads and writes state dicts as safetensors with PyTorch alone, for the tests of the exchange with Rowwise.

state_dict.py read WEIGHTS NETWORK    loads the weights by name (strict), prints the logits of a fixed input as JSON
state_dict.py write WEIGHTS NETWORK   makes the network with manual_seed(3), saves it, prints its logits
"""
import json
import struct
import sys

import torch
from torch import nn


class Net(nn.Module):
    """A recurrent layer of torch.nn under a name, and a linear layer that reads its output at the last step."""

    def __init__(self, name, module, hiddenSize=64, projSize=0, **options):
        super().__init__()
        kwargs = {"batch_first": True, **options}
        if projSize:
            kwargs["proj_size"] = projSize
        self.name = name
        self.add_module(name, getattr(nn, module)(28, hiddenSize, **kwargs))
        self.fc_1 = nn.Linear((projSize or hiddenSize) * (2 if options.get("bidirectional") else 1), 10)

    def forward(self, x):
        out, _ = getattr(self, self.name)(x)
        return self.fc_1(out[:, -1, :])


def load(path):
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    data = content[8 + length :]
    tensors = {}
    for name, entry in header.items():
        assert entry["dtype"] == "F32", entry
        begin, end = entry["data_offsets"]
        tensors[name] = torch.frombuffer(bytearray(data[begin:end]), dtype=torch.float32).reshape(entry["shape"])
    return tensors


def save(tensors, path):
    header, blobs, at = {}, [], 0
    for name, tensor in tensors.items():
        blob = tensor.detach().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    encoded = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(encoded)) + encoded + b"".join(blobs))


def ramp():
    return torch.linspace(-0.4, 2.8, 2 * 28 * 28).reshape(2, 28, 28)


command, path, spec = sys.argv[1:4]
if command == "read":
    net = Net(**json.loads(spec))
    net.load_state_dict(load(path), strict=True)
else:
    torch.manual_seed(3)
    net = Net(**json.loads(spec))
    save(net.state_dict(), path)
with torch.no_grad():
    print(json.dumps(net(ramp()).tolist()))
