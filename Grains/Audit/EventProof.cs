using System.Text;
using HeartGrains.Hearts;
using HeartGrains.Ledger;

namespace HeartGrains.Audit;

/// <summary>Holds what a row says in plain against the keyed hashes beside it, and collects the tombstones it meets and the decisions that say how many there are.</summary>
public sealed class EventProof(HeartKeys keys)
{
    /// <summary>What stands in front of a receipt where a user's name was.</summary>
    public const string TombstonePrefix = "erased:";

    private const int MaxNetworkBytes = 64;
    private readonly Dictionary<string, long> _tombstones = [];
    private readonly Dictionary<string, long> _erasures = [];

    /// <summary>Receipts that stand where users' names were, and how often.</summary>
    public IReadOnlyDictionary<string, long> Tombstones => _tombstones;

    /// <summary>Receipts of erasures that ended, and how many names each says to have replaced.</summary>
    public IReadOnlyDictionary<string, long> Erasures => _erasures;

    /// <summary>What is wrong with a row, in words; null when nothing is.</summary>
    public string? Check(in RawEvent row)
    {
        var (target, version) = (row.Position.Target, row.Position.Version);
        var isDecision = target == Decision.Desk;
        if (isDecision != (row.Kind == HeartEventKind.Decided)) return $"version {version} is of a kind that its stream does not hold";
        if (isDecision && row.Detail is { } detail && Erasure.Read(detail) is { Receipt: { } erased, Rows: { } rows }) _erasures[erased] = rows;
        if (version == 1 && !isDecision && !IsTarget(row.TargetId, target)) return "the target's name is not that of its key";
        if (row.UserId.StartsWith(TombstonePrefix, StringComparison.Ordinal))
        {
            var receipt = row.UserId[TombstonePrefix.Length..];
            _tombstones[receipt] = _tombstones.GetValueOrDefault(receipt) + 1;
            return row.Network is null ? null : $"version {version} has a network where the user is forgotten";
        }

        if (row.UserId.Length == 0 ? !isDecision || row.Heart != default : !IsHeart(row.UserId, target, row.Heart)) return $"version {version} has another user than its id";
        return IsNetwork(row) ? null : $"version {version} has another network than its proof";
    }

    private bool IsTarget(string? targetId, Guid target) =>
        targetId is not null && Encoding.UTF8.GetByteCount(targetId) <= HeartKeys.MaxTargetIdBytes && keys.OfTarget(targetId) == target;

    private bool IsHeart(string userId, Guid target, HeartId heart) =>
        Encoding.UTF8.GetByteCount(userId) <= HeartKeys.MaxUserIdBytes && keys.OfHeart(target, userId) == heart;

    private bool IsNetwork(in RawEvent row) => row.Network is null
        ? row.NetworkMac == 0
        : row.Network.Length <= MaxNetworkBytes && keys.OfNetwork(row.Heart, row.AtMicros, row.Network) == row.NetworkMac;
}
