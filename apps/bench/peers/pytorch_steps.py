"""Times the reference network in PyTorch: reads timing requests as JSON lines, answers with what it measured."""
import json
import math
import resource
import signal
import statistics
import sys
import time

import torch
from torch import nn

for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # the benchmark decides when to end
    if hasattr(signal, name):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
task = json.loads(sys.argv[-1])
shape = task["network"]
torch.set_num_threads(task["threads"])


both = shape.get("bidirectional", False)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        cell = nn.GRU if shape.get("cell") == "gru" else nn.LSTM
        if "vocabulary" in shape:
            self.embedding_1 = nn.Embedding(shape["vocabulary"], shape["inputSize"])
        self.lstm_1 = cell(
            shape["inputSize"], shape["hiddenSize"], shape["numLayers"], batch_first=True, bidirectional=both
        )
        self.fc_1 = nn.Linear(shape["hiddenSize"] * (2 if both else 1), shape["numClasses"])

    def forward(self, x, lengths=None):
        if "vocabulary" in shape:
            out, _ = self.lstm_1(self.embedding_1(x))
            return self.fc_1(out)
        if lengths is not None:
            packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            _, (hidden, _) = self.lstm_1(packed)
            return self.fc_1(torch.cat([hidden[-2], hidden[-1]], 1) if both else hidden[-1])
        out, _ = self.lstm_1(x)
        return self.fc_1(out[:, -1, :])


def prepare(kind, batch):
    net, time, lengths = Net(), shape["time"], None
    if "vocabulary" in shape:
        at = torch.arange(batch * time)
        x, y = ((at * step % shape["vocabulary"]).reshape(batch, time) for step in (7, 5))
    else:
        x = torch.rand(batch, time, shape["inputSize"]) * 3.2 - 0.4
        y = torch.arange(batch) % shape["numClasses"]
    if shape.get("lengths"):
        lengths = time // 2 + torch.arange(batch) * 11 % (time - time // 2 + 1)
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)

    def train():
        optimizer.zero_grad()
        logits = net(x) if lengths is None else net(x, lengths)
        loss_function(logits.flatten(0, -2), y.flatten()).backward()
        optimizer.step()

    def predict():
        with torch.no_grad():
            return net(x).numpy()

    return train if kind == "train" else predict


def timed(step, seconds):
    times, end = [], time.perf_counter() + seconds
    while True:
        began = time.perf_counter()
        step()
        times.append(1000 * (time.perf_counter() - began))
        if time.perf_counter() >= end:
            return times


def summarize(times):
    sample = times[:: math.ceil(len(times) / 100)]
    times = sorted(times)
    median = statistics.median(times)
    return {
        "median": median,
        "p75": times[min(len(times) - 1, int(0.75 * len(times)))],
        "p99": times[min(len(times) - 1, int(0.99 * len(times)))],
        "mad": statistics.median(abs(t - median) for t in times),
        "steps": len(times),
        "sample": sample,
        "leaked": 0,
    }


def answer(value):
    print(json.dumps(value), flush=True)


torch.manual_seed(0)
plural = "s" if task["threads"] > 1 else ""
answer({"description": f"PyTorch {torch.__version__}, {task['threads']} thread{plural}"})
steps = {}
for line in sys.stdin:
    request = json.loads(line)
    kind, batch = request["workload"]["kind"], request["workload"]["batch"]
    first = None
    if (kind, batch) not in steps:
        steps[kind, batch] = prepare(kind, batch)
        first = timed(steps[kind, batch], 0)[0]
        timed(steps[kind, batch], 0.3)
    result = summarize(timed(steps[kind, batch], request["seconds"]))
    answer(result if first is None else {**result, "first": first})
answer({"peakMemory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})
