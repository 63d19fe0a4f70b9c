"""Shared by all stages of the training: optimisers, moving averages, a clock, and a state on disk from which a training resumes."""

import fcntl
import itertools
import math
import os
import socket
import time

import torch
import torch.distributed as together


DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def clock():
    """Processor time per thread in seconds, so that other work on the machine does not shorten a stage.
    On a GPU, or with TRAIN_CLOCK=wall, the wall time."""
    return time.monotonic() if DEVICE.type == "cuda" or os.environ.get("TRAIN_CLOCK") == "wall" else time.process_time() / torch.get_num_threads()


def autocast():
    return torch.autocast(DEVICE.type, torch.bfloat16)


def ahead(steps, first):
    """The items of the dataset `steps` from number `first` on, without end. For a GPU, other processes make them ahead, since it waits for them otherwise."""
    if DEVICE.type == "cpu":
        return map(steps.__getitem__, itertools.count(first))
    return torch.utils.data.DataLoader(steps, None, sampler=range(first, first + 10**9), num_workers=max(1, os.cpu_count() - 2), prefetch_factor=4, pin_memory=True)


def alone(folder):
    """Locks a folder for one training until the process ends: two would overwrite each other's state."""
    lock = open(folder / "training.lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SystemExit(f"{folder}: another training uses this folder; stop it, or name another folder") from None
    return lock


def _worker(rank, count, port, work, options):
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    together.init_process_group("gloo", rank=rank, world_size=count)
    work(options, rank)
    together.destroy_process_group()


def workers(count, work, options):
    """Runs work(options, rank) in processes of one thread each, whose trainers share gradients. If other work uses the same cores, threads that
    synchronize at every operation mostly wait for one that has no core; these processes synchronize only once per step. A GPU is used by this process."""
    if DEVICE.type == "cuda":
        work(options, 0)
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(_worker, (count, port, work, options), nprocs=count)


class Muon:
    """Momentum orthogonalised by Newton-Schulz iterations (Jordan et al. 2024), over stacks of equal matrices."""

    COEFFICIENTS = ((4.0848, -6.8946, 2.9270), (3.9505, -6.3029, 2.6377), (3.7418, -5.5913, 2.3037), (2.8769, -3.1427, 1.2046), (2.8366, -3.0525, 1.2012))

    def __init__(self, parameters, momentum=0.95, decay=0.01):
        self.momentum, self.decay, by_shape = momentum, decay, {}
        for parameter in parameters:
            by_shape.setdefault(tuple(parameter.shape), []).append(parameter)
        self.stacks = [(same, same[0].new_zeros(len(same), shape[0], same[0][0].numel(), requires_grad=False)) for shape, same in by_shape.items()]

    @torch.no_grad()
    def step(self, rate):
        for same, momenta in self.stacks:
            held = [i for i, parameter in enumerate(same) if parameter.grad is not None]
            if not held:
                continue
            gradient = torch.stack([same[i].grad.flatten(1) for i in held])
            momentum = momenta[held].lerp_(gradient, 1 - self.momentum)
            momenta[held] = momentum
            x = gradient.lerp(momentum, self.momentum)
            tall = x.shape[1] > x.shape[2]
            x = x.mT if tall else x
            x = (x / (x.norm(dim=(1, 2), keepdim=True) + 1e-8)).bfloat16()
            for a, b, c in self.COEFFICIENTS:
                square = x @ x.mT
                x = a * x + (b * square + c * (square @ square)) @ x
            x = (x.mT if tall else x).float() * (0.2 * math.sqrt(max(x.shape[1:])))
            for i, update in zip(held, x):
                parameter = same[i]
                parameter.mul_(1 - rate * self.decay).add_(update.view_as(parameter), alpha=-rate)


class Average:
    """An exponential moving average of weights, with a faster decay at the start."""

    def __init__(self, weights, decay):
        self.decay, self.steps, self.weights = decay, 0, {name: value.detach().clone() for name, value in weights.items()}

    @torch.no_grad()
    def update(self, weights):
        self.steps += 1
        keep = min(self.decay, (1 + self.steps) / (15 + self.steps))
        torch._foreach_lerp_(list(self.weights.values()), [weights[name].detach() for name in self.weights], 1 - keep)


class Trainer:
    """The training of weights: Muon for the named matrices, AdamW for the rest, clipped gradients, resumable state."""

    def __init__(self, weights, muon, path, rate=2e-3, muon_rate=3e-3, decay=0.999):
        self.weights = {name: value.to(DEVICE).requires_grad_() for name, value in weights.items()}
        matrices = [value for name, value in self.weights.items() if muon(name, value)]
        chosen = {id(value) for value in matrices}
        self.adam = torch.optim.AdamW([value for value in self.weights.values() if id(value) not in chosen], rate, (0.9, 0.97), weight_decay=0.01, fused=True)
        self.muon, self.rate, self.muon_rate = Muon(matrices), rate, muon_rate
        self.average, self.path, self.step, self.seconds, self.mark = Average(self.weights, decay), path, 0, 0.0, clock()
        self.saved = time.monotonic()
        if path.exists():
            state = torch.load(path, DEVICE, weights_only=True)
            with torch.no_grad():
                for name, value in state["weights"].items():
                    self.weights[name].copy_(value)
            self.average.weights, self.average.steps = state["average"], state["average_steps"]
            self.adam.load_state_dict(state["adam"])
            for (_, momentum), value in zip(self.muon.stacks, state["muon"]):
                momentum.copy_(value)
            self.step, self.seconds = state["step"], state["seconds"]

    def update(self, loss, scale):
        """One optimization step, with the learning rates times `scale`."""
        loss.backward()
        self.share()
        norm = torch.nn.utils.clip_grad_norm_(self.weights.values(), 1.0)
        for group in self.adam.param_groups:
            group["lr"] = self.rate * scale
        if torch.isfinite(norm):
            self.adam.step()
            self.muon.step(self.muon_rate * scale)
            self.average.update(self.weights)
        for value in self.weights.values():
            value.grad = None
        self.step += 1

    @torch.no_grad()
    def share(self):
        """Averages time and gradients over all workers, so that every worker takes the same step."""
        now = clock()
        self.seconds, self.mark = self.seconds + now - self.mark, now
        if together.is_initialized():
            gradients = [value.grad for value in self.weights.values() if value.grad is not None]
            flat = torch.cat([torch.tensor([self.seconds]), *(gradient.flatten() for gradient in gradients)])
            together.all_reduce(flat)
            flat /= together.get_world_size()
            self.seconds = flat[0].item()
            torch._foreach_copy_(gradients, [part.view_as(gradient) for part, gradient in zip(flat[1:].split([gradient.numel() for gradient in gradients]), gradients)])

    @torch.no_grad()
    def settle(self):
        """Continues the training from the average."""
        for name, value in self.average.weights.items():
            self.weights[name].copy_(value)

    def save(self):
        state = {
            "weights": {name: value.detach() for name, value in self.weights.items()}, "average": self.average.weights,
            "average_steps": self.average.steps, "adam": self.adam.state_dict(), "muon": [momentum for _, momentum in self.muon.stacks],
            "step": self.step, "seconds": self.seconds,
        }
        partial = self.path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.path)
        self.saved = time.monotonic()

    def save_sometimes(self, minutes=3):
        """Saves if the last time is some minutes ago, so that a stopped training loses little."""
        if time.monotonic() - self.saved > 60 * minutes:
            self.save()
