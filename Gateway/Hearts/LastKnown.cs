using System.Numerics;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.Hearts;

/// <summary>What a target was like when this gateway last heard of it.</summary>
/// <param name="Count">Its hearts.</param>
/// <param name="Version">Its version.</param>
/// <param name="AsOf">When, in ticks of UTC.</param>
/// <param name="Opening">Its opening balance when that was last told; hearts given since do not tell it.</param>
internal readonly record struct KnownHearts(long Count, long Version, long AsOf, long Opening = 0);

/// <summary>
/// The last known state of targets, for when nobody can be asked: a fixed table of 40-byte entries found by a keyed hash, four to a set; the one heard of longest ago makes room.
/// Two targets whose 64-bit hashes are equal share an entry. Thread-safe.
/// </summary>
internal sealed class LastKnown
{
    private const int Ways = 4;
    private const int StripeCount = 256;

    private readonly UserHash _hash = new();
    private readonly TimeProvider _time;
    private readonly Lock[] _stripes;
    private readonly ulong[] _keys;
    private readonly KnownHearts[] _known;
    private readonly int _setMask;

    /// <summary>An empty table.</summary>
    public LastKnown(IOptions<ResilienceOptions> options, TimeProvider time)
    {
        _time = time;
        var sets = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(1, options.Value.LastKnownTargets / Ways));
        _setMask = sets - 1;
        _keys = new ulong[sets * Ways];
        _known = new KnownHearts[sets * Ways];
        _stripes = new Lock[Math.Min(StripeCount, sets)];
        for (var i = 0; i < _stripes.Length; i++) _stripes[i] = new Lock();
    }

    /// <summary>Takes note of what a grain told of a target it was asked about.</summary>
    public void Note(string targetId, in HeartState state) => Note(targetId, state.Count, state.Version, state.Opening);

    /// <summary>Takes note of what a grain told. An answer that was overtaken by a newer one says nothing; a target without a history is not worth a place.</summary>
    public void Note(string targetId, long count, long version, long? opening = null)
    {
        if (version == 0 && opening is null or 0) return;
        var hash = _hash.Of(targetId);
        var set = SetOf(hash);
        var asOf = _time.GetUtcNow().Ticks;
        lock (StripeOf(set))
        {
            var slot = Find(set, hash);
            var kept = slot < 0 ? 0 : _known[slot].Opening;
            if (slot < 0)
            {
                slot = Oldest(set);
                _keys[slot] = hash;
            }
            else if (_known[slot].Version > version)
            {
                return;
            }

            _known[slot] = new KnownHearts(count, version, asOf, opening ?? kept);
        }
    }

    /// <summary>What is known of a target; false when nothing is.</summary>
    public bool TryFind(string targetId, out KnownHearts known)
    {
        var hash = _hash.Of(targetId);
        var set = SetOf(hash);
        lock (StripeOf(set))
        {
            var slot = Find(set, hash);
            known = slot < 0 ? default : _known[slot];
            return slot >= 0;
        }
    }

    /// <summary>What is known of a target and was heard no longer than <paramref name="age"/> ago.</summary>
    public bool TryFind(string targetId, TimeSpan age, out KnownHearts known) =>
        TryFind(targetId, out known) && _time.GetUtcNow().Ticks - known.AsOf <= age.Ticks;

    private int SetOf(ulong hash) => (int)(hash >> 32) & _setMask;

    private Lock StripeOf(int set) => _stripes[set & (_stripes.Length - 1)];

    private int Find(int set, ulong hash)
    {
        for (var slot = set * Ways; slot < (set + 1) * Ways; slot++)
            if (_keys[slot] == hash && _known[slot].AsOf > 0) return slot;
        return -1;
    }

    private int Oldest(int set)
    {
        var oldest = set * Ways;
        for (var slot = oldest + 1; slot < (set + 1) * Ways; slot++)
            if (_known[slot].AsOf < _known[oldest].AsOf) oldest = slot;
        return oldest;
    }
}
