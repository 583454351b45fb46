"""Times the reference network in PyTorch; takes the benchmark's task as JSON, prints its result as JSON."""
import json
import resource
import statistics
import sys
import time

import torch
from torch import nn

task = json.loads(sys.argv[1])
shape = task["network"]
torch.set_num_threads(task["threads"])


class LSTMNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm_1 = nn.LSTM(shape["inputSize"], shape["hiddenSize"], shape["numLayers"], batch_first=True)
        self.fc_1 = nn.Linear(shape["hiddenSize"], shape["numClasses"])

    def forward(self, x):
        out, _ = self.lstm_1(x)
        return self.fc_1(out[:, -1, :])


def measure(workload, step):
    for _ in range(20):
        step()
    times, end = [], time.perf_counter() + task["seconds"]
    while time.perf_counter() < end or len(times) < 5:
        began = time.perf_counter()
        step()
        times.append(1000 * (time.perf_counter() - began))
    times.sort()
    median = statistics.median(times)
    return {
        **workload,
        "median": median,
        "p75": times[int(0.75 * len(times))],
        "p99": times[int(0.99 * len(times))],
        "mad": statistics.median(abs(t - median) for t in times),
        "steps": len(times),
    }


torch.manual_seed(0)
timings = []
for workload in task["workloads"]:
    net = LSTMNet()
    x = torch.rand(workload["batch"], shape["time"], shape["inputSize"]) * 3.2 - 0.4
    y = torch.arange(workload["batch"]) % shape["numClasses"]
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)

    def train():
        optimizer.zero_grad()
        loss_function(net(x), y).backward()
        optimizer.step()

    def predict():
        with torch.no_grad():
            return net(x).numpy()

    timings.append(measure(workload, train if workload["kind"] == "train" else predict))

peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"description": f"PyTorch {torch.__version__}, {task['threads']} threads", "timings": timings, "peakMemory": peak}))
