using HeartGrains.Hearts;
using HeartGrains.Ledger;

namespace HeartGrains.Audit;

/// <summary>
/// Folds a target's log anew and compares what is stored with it. Pure: it is shown rows and says what is wrong. It holds the target's current hearts, 40 bytes each.
/// </summary>
/// <param name="proof">Compares names with ids.</param>
/// <param name="grainVersion">The version of which the grain told its count.</param>
public sealed class TargetFold(EventProof proof, long grainVersion) : ITargetReader
{
    /// <summary>How many findings are told.</summary>
    public const int FindingLimit = 100;

    private readonly Dictionary<HeartId, CurrentHeart> _hearts = [];
    private readonly List<(string Kind, string Text)> _findings = [];
    private StoredTarget _stored;
    private long _version;
    private long _foldedVersion;
    private long _foldedCount;
    private long _matching;
    private bool _isProjected;

    /// <summary>The name, if the log or the projection tells it.</summary>
    public string? TargetId { get; private set; }

    /// <summary>The last version of the log.</summary>
    public long Version => _version;

    /// <summary>Hearts by the log.</summary>
    public long Count => _hearts.Count;

    /// <summary>Hearts by the log at the grain's version; null when the log does not reach so far.</summary>
    public long? CountAtGrain { get; private set; } = grainVersion == 0 ? 0 : null;

    /// <summary>What was found.</summary>
    public IReadOnlyList<(string Kind, string Text)> Findings => _findings;

    /// <inheritdoc/>
    public void Read(in StoredTarget stored)
    {
        _stored = stored;
        TargetId = stored.TargetId;
    }

    /// <inheritdoc/>
    public void Read(in RawEvent row)
    {
        var version = row.Position.Version;
        if (version > _stored.Version) EndProjection();
        if (version != _version + 1) Add(FindingKinds.Gap, version == _version + 2 ? $"version {_version + 1} is missing" : $"versions {_version + 1} to {version - 1} are missing");
        if (version == 1 && row.TargetId is not null) TargetId = row.TargetId;
        if (proof.Check(row) is { } wrong) Add(FindingKinds.Key, wrong);
        if (row.Kind == HeartEventKind.Given)
        {
            if (!_hearts.TryAdd(row.Heart, new CurrentHeart(row.Heart, row.AtMicros, version)))
            {
                Add(FindingKinds.Order, $"version {version} gives a heart that is given");
                _hearts[row.Heart] = new CurrentHeart(row.Heart, row.AtMicros, version);
            }
        }
        else if (!_hearts.Remove(row.Heart))
        {
            Add(FindingKinds.Order, $"version {version} takes back a heart that is not given");
        }

        _version = version;
        if (row.Position.Order <= _stored.FoldedOrder) _foldedVersion = version;
        if (version == _stored.Version) _foldedCount = _hearts.Count;
        if (version == grainVersion) CountAtGrain = _hearts.Count;
    }

    /// <inheritdoc/>
    public void Read(in CurrentHeart heart)
    {
        if (!_hearts.TryGetValue(heart.Id, out var folded)) Add(FindingKinds.Hearts, $"a heart of version {heart.Version} is stored that is not given");
        else if (folded != heart) Add(FindingKinds.Hearts, $"the heart of version {folded.Version} is stored as of version {heart.Version}, or of another time");
        if (folded.Version != 0) _matching++;
    }

    /// <summary>Ends the comparison of what is stored.</summary>
    public void Finish()
    {
        EndProjection();
        if (_stored.Version != _foldedVersion) Add(FindingKinds.Count, $"the table has version {_stored.Version} where {_foldedVersion} is folded");
        else if (_stored.Count != _foldedCount) Add(FindingKinds.Count, $"the table has {_stored.Count} hearts at version {_stored.Version} where the log has {_foldedCount}");
        else if (_stored.TargetId is { } name && name != TargetId) Add(FindingKinds.Count, "the table has another name than the log");
    }

    /// <summary>Compares what the grain tells, which was asked before the log was read.</summary>
    public void CompareGrain(long count)
    {
        if (CountAtGrain is not { } folded) Add(FindingKinds.Grain, $"the grain is at version {grainVersion} where the log ends at {_version}");
        else if (folded != count) Add(FindingKinds.Grain, $"the grain has {count} hearts at version {grainVersion} where the log has {folded}");
    }

    private void EndProjection()
    {
        if (_isProjected) return;
        _isProjected = true;
        if (_matching != _hearts.Count) Add(FindingKinds.Hearts, $"{_hearts.Count - _matching} of {_hearts.Count} hearts are not stored");
    }

    private void Add(string kind, string text)
    {
        if (_findings.Count < FindingLimit) _findings.Add((kind, text));
    }
}
