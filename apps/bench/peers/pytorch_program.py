"""The reference program in PyTorch with its DataLoader, as a whole process: epochs of training, each with a test."""
import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

directory, epochs, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
torch.manual_seed(0)


def read(name, header):
    with open(f"{directory}/{name}", "rb") as file:
        return torch.frombuffer(bytearray(file.read()[header:]), dtype=torch.uint8)


def dataset(part):
    images = read(f"{part}-images-idx3-ubyte", 16).reshape(-1, 28, 28).float().div_(255).sub_(0.1307).div_(0.3081)
    return TensorDataset(images, read(f"{part}-labels-idx1-ubyte", 8).long())


class LSTMNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm_1 = nn.LSTM(28, 64, 1, batch_first=True)
        self.fc_1 = nn.Linear(64, 10)

    def forward(self, x):
        out, _ = self.lstm_1(x)
        return self.fc_1(out[:, -1, :])


net = LSTMNet()
train_loader = DataLoader(dataset("train"), batch_size=64, shuffle=True)
test_loader = DataLoader(dataset("t10k"), batch_size=1000)
loss_function = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(1, epochs + 1):
    for inputs, targets in train_loader:
        optimizer.zero_grad()
        loss_function(net(inputs), targets).backward()
        optimizer.step()
    with torch.no_grad():
        correct = sum((net(x).argmax(1) == y).sum().item() for x, y in test_loader)
    print(f"epoch {epoch}: {correct} of 10000", flush=True)
