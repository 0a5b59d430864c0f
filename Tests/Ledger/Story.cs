using System.Security.Cryptography;
using System.Text;
using HeartGrains.Hearts;
using HeartGrains.Ledger;

namespace HeartGrains.Tests.Ledger;

/// <summary>Writes the events of one target in version order, and knows what the projections must say of them.</summary>
internal sealed class Story(string targetId, long writer = 1)
{
    private readonly List<HeartEvent> _log = [];

    public Guid Target { get; } = new(Hash(targetId));

    public long Version => _log.Count;

    public IReadOnlyList<HeartEvent> Log => _log;

    /// <summary>Hearts given now, newest first.</summary>
    public HeartUser[] Users => [.. _log
        .GroupBy(e => e.Heart)
        .Select(events => events.Last())
        .Where(last => last.Kind == HeartEventKind.Given)
        .OrderByDescending(last => last.Version)
        .Select(last => new HeartUser(last.UserId, last.Heart, last.Version, last.AtMicros))];

    public TopTarget Top => new(targetId, Users.Length, Version);

    public HeartId Heart(string user) => HeartId.FromGuid(new Guid(Hash($"{targetId}\n{user}")));

    public bool IsGiven(string user) => _log.LastOrDefault(e => e.UserId == user).Kind == HeartEventKind.Given;

    public HeartEvent Give(string user) => Add(user, HeartEventKind.Given);

    public HeartEvent Withdraw(string user) => Add(user, HeartEventKind.Withdrawn);

    public HeartEvent Toggle(string user) => IsGiven(user) ? Withdraw(user) : Give(user);

    public HeartEvent[] GiveMany(params string[] users) => [.. users.Select(Give)];

    private HeartEvent Add(string user, HeartEventKind kind)
    {
        var version = Version + 1;
        var added = new HeartEvent(Target, version, targetId, Heart(user), user, kind, 1_750_000_000_000_000 + version, writer);
        _log.Add(added);
        return added;
    }

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text))[..16];
}
