"""The reference program in PyTorch with its DataLoader, as a whole process: epochs of training, each with a test."""
import os
import sys
import tempfile

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

directory, epochs, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
torch.manual_seed(0)
FILES = {True: "train", False: "t10k"}


class Images(Dataset):
    """What torchvision's MNIST does for each sample, without torchvision."""

    def __init__(self, train):
        def read(kind, header):
            with open(f"{directory}/{FILES[train]}-{kind}-ubyte", "rb") as file:
                return torch.frombuffer(bytearray(file.read()[header:]), dtype=torch.uint8)

        self.images = read("images-idx3", 16).reshape(-1, 1, 28, 28)
        self.labels = read("labels-idx1", 8).long()

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return (self.images[index].float().div(255) - 0.1307) / 0.3081, self.labels[index]


def dataset(train):
    try:
        from torchvision import datasets, transforms
    except ImportError:
        return Images(train)
    root = tempfile.mkdtemp()
    raw = os.path.join(root, "MNIST", "raw")
    os.makedirs(raw)
    for name in os.listdir(directory):
        os.symlink(os.path.join(directory, name), os.path.join(raw, name))
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    return datasets.MNIST(root, train=train, transform=transform)


class LSTMNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm_1 = nn.LSTM(28, 64, 1, batch_first=True)
        self.fc_1 = nn.Linear(64, 10)

    def forward(self, x):
        out, _ = self.lstm_1(x)
        return self.fc_1(out[:, -1, :])


net = LSTMNet()
train_loader = DataLoader(dataset(train=True), batch_size=64, shuffle=True)
test_loader = DataLoader(dataset(train=False), batch_size=1000)
loss_function = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(1, epochs + 1):
    for inputs, targets in train_loader:
        optimizer.zero_grad()
        loss_function(net(inputs.squeeze(1)), targets).backward()
        optimizer.step()
    with torch.no_grad():
        correct = sum((net(x.squeeze(1)).argmax(1) == y).sum().item() for x, y in test_loader)
    print(f"epoch {epoch}: {correct} of 10000", flush=True)
