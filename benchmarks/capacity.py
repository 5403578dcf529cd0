"""Speed of the second wing: questions made, and updates trained, against straightforward text and tokenizer code.

    python benchmarks/capacity.py

The other side is written from the description of the published system: two rows of an Arrow table for each question,
a sentence in Python, 34 sentences joined and tokenized, cut at 512 tokens, the loss after "Answer:". It makes whole
windows; questions that the cut leaves out do not count. Both sides ask two-hop questions about the same people with the
same tokenizer, and take turns, in one thread.
"""

import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.parquet as pq
import torch
from torch.nn import functional as F

from modgrok.capacity import Llama, ProfilesDataModule
from modgrok.capacity.memorizing.part_scores import token_loss
from modgrok.capacity.people.parquet import write_profiles
from modgrok.capacity.questions.notation import train_tokenizer

N, RELATIONS, QUESTIONS, WINDOW, JOINED = 1000, 4, 64, 512, 34
ROUNDS = 15


class Straightforward:
    """Windows of questions from an Arrow table, one question after another."""

    def __init__(self, data):
        with TemporaryDirectory() as folder:
            write_profiles(data.people, Path(folder, "profiles.parquet"))
            self.table = pq.read_table(Path(folder, "profiles.parquet"))
        self.tokenizer = train_tokenizer(data.people, 3000)
        self.answer = self.tokenizer.encode("? Answer:").ids[-2:]
        self.relations, self.subjects = data.people.relation_names, data.people.subjects
        self.rng = np.random.default_rng(0)

    def row(self, i):
        """Return a profile as a dictionary."""
        return self.table.slice(i, 1).to_pylist()[0]

    def question(self):
        """Return a two-hop question with its answer."""
        profile = self.row(int(self.rng.integers(N)))
        relation = self.relations[self.rng.integers(len(self.relations))]
        subject = self.subjects[self.rng.integers(len(self.subjects))]
        value = self.row(profile[relation]["index"])[subject]
        if isinstance(value, dict):
            value = value["name"]
        elif not isinstance(value, str):
            value = value.date().isoformat()
        words = relation.replace("_", " "), subject.replace("_", " ")
        return f"Question: What was {profile['name']}'s {words[0]}'s {words[1]}? Answer: {value}"

    def window(self):
        """Return tokens and targets of a window, and the questions that are whole."""
        text = "<|endoftext|>".join(self.question() for _ in range(JOINED))
        tokens = [0, *self.tokenizer.encode(text).ids][:WINDOW]
        targets, inside = [-100] * len(tokens), False
        for i in range(2, len(tokens)):
            if inside and tokens[i] == 0:
                inside = False
            elif inside:
                targets[i] = tokens[i]
            elif tokens[i - 1 : i + 1] == self.answer:
                inside = True
        return tokens, targets, tokens.count(0) - 1

    def batch(self):
        """Return windows with at least as many questions as a batch of ours."""
        windows, count = [], 0
        while count < QUESTIONS:
            windows.append(self.window())
            count += windows[-1][2]
        tokens, targets = (
            torch.tensor([w[k] + [-100 * k] * (WINDOW - len(w[k])) for w in windows]) for k in (0, 1)
        )
        return tokens, targets, count


def seconds(run, repeats):
    """Return the seconds of a call."""
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    return (time.perf_counter() - start) / repeats


def main():
    """Measure both sides in turns."""
    torch.set_num_threads(1)
    data = ProfilesDataModule(
        n=N, relations=RELATIONS, notation="text", hops=2, hop_ratio=0, batch_size=QUESTIONS, held_out={}
    )
    other = Straightforward(data)
    batches = iter(data.train_dataloader())
    networks = [Llama(data.vocabulary_size, WINDOW, d_model=16, n_layers=2, d_head=8) for _ in range(2)]
    optimizers = [torch.optim.AdamW(network.parameters(), fused=True) for network in networks]
    compiled = torch.compile(token_loss, dynamic=False)

    def update(optimizer, loss):
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    def ours():
        rows = next(batches)
        update(optimizers[0], compiled(networks[0], rows.tokens, rows.parts, data.questions.scored_tokens))

    asked = []

    def theirs():
        tokens, targets, count = other.batch()
        asked.append(count)
        logits = networks[1](tokens[:, :-1]).flatten(0, 1)
        update(optimizers[1], F.cross_entropy(logits, targets[:, 1:].flatten(), ignore_index=-100))

    ours(), theirs()
    times = {"our questions": [], "their questions": [], "our updates": [], "their updates": []}
    for _ in range(ROUNDS):
        times["our questions"].append(seconds(lambda: next(batches), 200) / QUESTIONS)
        start, count = time.perf_counter(), other.batch()[2]
        times["their questions"].append((time.perf_counter() - start) / count)
        times["our updates"].append(seconds(ours, 5))
        times["their updates"].append(seconds(theirs, 2) * QUESTIONS / statistics.mean(asked[-2:]))
    rates = {name: 1 / statistics.median(values) for name, values in times.items()}
    for kind, unit in (("questions", "questions"), ("updates", f"updates of {QUESTIONS} questions")):
        mine, other_rate = rates[f"our {kind}"], rates[f"their {kind}"]
        print(
            f"{mine:12,.0f} {unit} per second, {other_rate:,.1f} straightforwardly: {mine / other_rate:,.1f} times"
        )


if __name__ == "__main__":
    main()
