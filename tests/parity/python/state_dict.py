"""Reads and writes state dicts as safetensors with PyTorch alone, for the tests of the exchange with Rowwise.

state_dict.py read WEIGHTS INPUTS   loads the weights by name (strict), prints the logits of the inputs as JSON
state_dict.py write WEIGHTS         makes a network with manual_seed(3), saves it, prints the logits of a fixed input
"""
import json
import struct
import sys

import torch
from torch import nn


class LSTMNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm_1 = nn.LSTM(28, 64, 1, batch_first=True)
        self.fc_1 = nn.Linear(64, 10)

    def forward(self, x):
        out, _ = self.lstm_1(x)
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


command, path = sys.argv[1:3]
if command == "read":
    net = LSTMNet()
    net.load_state_dict(load(path), strict=True)
else:
    torch.manual_seed(3)
    net = LSTMNet()
    save(net.state_dict(), path)
with torch.no_grad():
    print(json.dumps(net(ramp()).tolist()))
