"""Elections counted by hand, as slowly as you like: from the published text of the rules, with nothing of ours.

A project is (id, cost, alternative, least or None); a ballot is {id: points}, one for each voter; a lot is a list of all
ids. What is wanted back is {id: money} of the winners.
"""

import random
from fractions import Fraction
from itertools import groupby, permutations, product


class Case:
    def __init__(self, projects, ballots, budget, *, rule, threshold=None, part=False, size=None):
        self.projects, self.ballots, self.budget = projects, ballots, budget
        self.rule, self.threshold, self.part, self.size = rule, threshold, part, size
        self.points = {p[0]: sum(ballot.get(p[0], 0) for ballot in ballots) for p in projects}

    def __repr__(self):
        return f"Case({self.projects!r}, {self.ballots!r}, {self.budget!r}, rule={self.rule!r}, threshold={self.threshold!r}, part={self.part!r}, size={self.size!r})"

    def with_budget(self, budget):
        return Case(
            self.projects,
            self.ballots,
            budget,
            rule=self.rule,
            threshold=self.threshold,
            part=self.part,
            size=self.size,
        )

    def winners(self, lot):
        if self.rule == "shortlist":
            return self.shortlisted()
        if self.rule == "equal-shares":
            return self.equal_shares(lot)
        order = sorted(self.projects, key=lambda p: (-self.points[p[0]], p[1], lot.index(p[0])))
        return self.most_votes(order)[0]

    def lots(self):
        """Every order that can matter: cost goes before the lot, so only projects of one cost change places."""
        by_cost = [
            list(same) for _, same in groupby(sorted(self.projects, key=lambda p: p[1]), lambda p: p[1])
        ]
        for chosen in product(*(permutations(same) for same in by_cost)):
            yield [project[0] for same in chosen for project in same]

    def shortlisted(self):
        """As many as go on have at least as much as the last of them."""
        return {
            project[0]: 0
            for project in self.projects
            if sum(self.points[other[0]] > self.points[project[0]] for other in self.projects) < self.size
        }

    def most_votes(self, order, left=None, won=(), stopped=False):
        """The projects in this order from a given state: (winners with their money, the state afterwards)."""
        left = self.budget if left is None else left
        got, groups = {}, set(won)
        for project, cost, group, least in order:
            if self.rule == "greedy-threshold" and self.points[project] < self.threshold:
                continue
            if stopped or (group and group in groups):
                continue
            if cost <= left:
                got[project] = cost
            elif self.part and least is not None and least <= left:
                got[project] = left
            else:
                stopped = self.rule == "greedy-no-skip"
                continue
            left -= got[project]
            if group:
                groups.add(group)
        return got, (left, frozenset(groups), stopped)

    def felt_ties(self, lot):
        """(place in the order, "cost" or "lot") of the equals whose order decides who wins or how much."""
        order = sorted(self.projects, key=lambda p: (-self.points[p[0]], p[1], lot.index(p[0])))
        ties, state, place = [], (self.budget, frozenset(), False), 1

        def differ(projects):
            return (
                len({frozenset(self.most_votes(way, *state)[0].items()) for way in permutations(projects)})
                > 1
            )

        for _points, equals in groupby(order, lambda p: self.points[p[0]]):
            equals = list(equals)
            if len({project[1] for project in equals}) > 1 and differ(equals):
                ties.append((place, "cost"))
            for _cost, alike in groupby(equals, lambda p: p[1]):
                alike = list(alike)
                if differ(alike):
                    ties.append((place, "lot"))
                state = self.most_votes(alike, *state)[1]
                place += len(alike)
        return ties

    def equal_shares(self, lot):
        kept, share = None, Fraction(self.budget, len(self.ballots) or 1)
        enough = sum(project[1] for project in self.projects) + 1
        while True:
            bought = self.one_raise(share, lot)
            if sum(bought.values()) > self.budget:
                return kept
            kept = bought
            if share > enough:  # nobody can run out any more, so it stays like this
                return kept
            share += 1

    def one_raise(self, share, lot):
        purse = [share] * len(self.ballots)
        bought, groups = {}, set()
        free = [project for project in self.projects if project[1] == 0 and self.points[project[0]]]
        for project, _cost, group, _least in sorted(
            free, key=lambda p: (-self.points[p[0]], lot.index(p[0]))
        ):
            if not group or group not in groups:
                bought[project] = 0
                groups.add(group)
        while True:
            offers = []
            for project, cost, group, _least in self.projects:
                if project in bought or not cost or (group and group in groups):
                    continue
                price = self.price(project, cost, purse)
                if price is not None:
                    offers.append((price / cost, cost, lot.index(project), project, group, price))
            if not offers:
                return bought
            _rho, cost, _drawn, project, group, price = min(offers)
            bought[project] = cost
            groups.add(group)
            for voter, ballot in enumerate(self.ballots):
                purse[voter] -= min(purse[voter], price * ballot.get(project, 0))

    def price(self, project, cost, purse):
        """The price a point at which its voters just pay for it, or all they have; None when that isn't enough."""
        voters = [(purse[n], ballot[project]) for n, ballot in enumerate(self.ballots) if ballot.get(project)]
        if sum(money for money, _ in voters) < cost:
            return None
        voters.sort(key=lambda v: v[0] / v[1])
        due, weight = Fraction(cost), sum(points for _, points in voters)
        for money, points in voters:
            if money * weight >= due * points:
                return due / weight
            due -= money
            weight -= points
        return None


RULES = ("greedy", "greedy-no-skip", "greedy-threshold", "equal-shares", "shortlist")


def random_case(chance: random.Random, rule: str, *, plain=False) -> Case:
    """Few costs and few voters, so that ties abound; alternatives and least costs in most."""
    ids = ["1", "2", "3", "10", "9"][: chance.randint(2, 4 if rule == "equal-shares" else 5)]
    costs = chance.choice([[2, 3], [4], [1, 2, 3, 4, 6], [0, 2, 4], [3, 5]])
    projects = []
    for project in ids:
        cost = chance.choice(costs)
        group = "" if plain or chance.random() < 0.5 else chance.choice(["a", "b"])
        least = None if plain or not cost or chance.random() < 0.4 else chance.randint(1, cost)
        projects.append((project, cost, group, least))
    points = chance.choice([1, 1, 1, 3])
    ballots = [
        {project: chance.randint(1, points) for project in chance.sample(ids, chance.randint(0, len(ids)))}
        for _ in range(chance.randint(1, 7))
    ]
    budget = chance.randint(1, max(1, sum(project[1] for project in projects)))
    return Case(
        projects,
        ballots,
        budget,
        rule=rule,
        threshold=chance.randint(0, 3) if rule == "greedy-threshold" else None,
        part=not plain and rule.startswith("greedy") and chance.random() < 0.6,
        size=chance.randint(1, 4) if rule == "shortlist" else None,
    )
