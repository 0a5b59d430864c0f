using HeartGrains.Hearts;
using HeartGrains.Moderation;

namespace HeartGrains.Tests.Moderation;

/// <summary>What moderation must come to, with sets and nothing that runs beside anything else.</summary>
internal sealed class ModerationModel
{
    private const string Given = "given";
    private const string TakenBack = "taken back";
    private readonly Dictionary<string, HashSet<string>> _hearts = [];
    private readonly HashSet<string> _frozen = [];
    private readonly HashSet<string> _blocked = [];
    private readonly Dictionary<string, string> _moves = [];
    private readonly Dictionary<string, HashSet<(string Target, string User)>> _held = [];

    // The last event of a user for a target: given, taken back, or the quarantine that took it.
    private readonly Dictionary<(string Target, string User), (string What, int At)> _last = [];
    private int _events;

    public HashSet<string> UsersOf(string target) => At(Place(target));

    public HeartOutcome Give(string target, string user)
    {
        if (_frozen.Contains(target)) return HeartOutcome.Frozen;
        if (_blocked.Contains(user)) return HeartOutcome.Blocked;
        if (IsFrozen(target)) return HeartOutcome.Frozen;
        Decide(Place(target), user);
        if (At(Place(target)).Add(user)) Tell(Place(target), user, Given);
        return HeartOutcome.Committed;
    }

    public HeartOutcome Withdraw(string target, string user)
    {
        if (IsFrozen(target)) return HeartOutcome.Frozen;
        if (!At(Place(target)).Remove(user)) return HeartOutcome.Committed;
        Decide(Place(target), user);
        Tell(Place(target), user, TakenBack);
        return HeartOutcome.Committed;
    }

    public void Freeze(string target, bool isFrozen)
    {
        if (isFrozen) _frozen.Add(target);
        else _frozen.Remove(target);
    }

    public void Block(string user, bool isBlocked)
    {
        if (isBlocked) _blocked.Add(user);
        else _blocked.Remove(user);
    }

    public RuleRefusal Move(string from, string to)
    {
        var place = Place(to);
        if (place == from || Chain(to).Contains(from)) return RuleRefusal.Cycle;
        if (_moves.TryGetValue(from, out var moved)) return Chain(to).Contains(moved) ? RuleRefusal.None : RuleRefusal.MovedElsewhere;
        _moves[from] = place;
        foreach (var user in At(from))
        {
            if (!At(place).Add(user)) continue;
            Decide(place, user);
            Tell(place, user, Given);
        }

        At(from).Clear();
        return RuleRefusal.None;
    }

    public void QuarantineTarget(string id, string target) => Hold(id, [.. At(target).Select(user => (target, user))]);

    /// <summary>Where the target's hearts are, if not at itself.</summary>
    public string? MovedTo(string target) => Place(target) is var place && place != target ? place : null;

    public void QuarantineUser(string id, string user) => Hold(id, [.. _hearts.Where(hearts => hearts.Value.Contains(user)).Select(hearts => (hearts.Key, user))]);

    public string? AnyQuarantine(Random dice) => _held.Count == 0 ? null : _held.Keys.Order(StringComparer.Ordinal).ElementAt(dice.Next(_held.Count));

    public void Release(string id)
    {
        foreach (var (target, user) in _held[id])
        {
            var place = Place(target);
            if (place != target && IsSettled(id, (target, user), place)) continue;
            Decide(place, user);
            if (At(place).Add(user)) Tell(place, user, Given);
        }

        _held.Remove(id);
    }

    private void Hold(string id, HashSet<(string Target, string User)> hearts)
    {
        foreach (var (target, user) in hearts)
        {
            At(target).Remove(user);
            Tell(target, user, id);
        }

        _held[id] = hearts;
    }

    /// <summary>Whether what was held under an old name was taken back at the new one since, or is another quarantine's there.</summary>
    private bool IsSettled(string id, (string Target, string User) held, string place)
    {
        if (!_last.TryGetValue((place, held.User), out var last) || last.What == Given || last.What == id) return false;
        return last.At > _last[held].At || (last.What != TakenBack && _held.ContainsKey(last.What));
    }

    private void Tell(string target, string user, string what) => _last[(target, user)] = (what, ++_events);

    /// <summary>Whoever changes a heart anew takes it from all quarantines that hold it at this target.</summary>
    private void Decide(string target, string user)
    {
        foreach (var held in _held.Values) held.Remove((target, user));
    }

    private bool IsFrozen(string target) => Chain(target).Any(_frozen.Contains);

    private string Place(string target) => Chain(target).Last();

    /// <summary>The target and where it leads.</summary>
    private IEnumerable<string> Chain(string target)
    {
        yield return target;
        while (_moves.TryGetValue(target, out var next)) yield return target = next;
    }

    private HashSet<string> At(string target) => _hearts.TryGetValue(target, out var users) ? users : _hearts[target] = [];
}
