using System.Text;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Ledger;

namespace HeartGrains.Transfer;

/// <summary>What an import did.</summary>
/// <param name="Events">Events of the log.</param>
/// <param name="Targets">Targets compared with their log.</param>
/// <param name="Hearts">Hearts given now.</param>
internal sealed record ImportSummary(long Events, long Targets, long Hearts);

/// <summary>Fills an empty ledger from an export, under the ledger's own key, and holds the result against it.</summary>
internal sealed class Importer(ITransferLedger ledger, HeartKeys keys)
{
    private const int BatchLimit = 1000;
    private const int FoldLimit = 10_000;
    private const int TargetPage = 1000;

    private readonly List<RawEvent> _events = new(BatchLimit);
    private readonly List<StandingRow> _rows = new(BatchLimit);
    private bool _isSameKey;
    private long _written;
    private long _hearts;

    /// <summary>Reads the export to its end. An import that ends early leaves a ledger that no program opens.</summary>
    /// <exception cref="LedgerException">The ledger is not empty or cannot answer, or the export is not whole or makes no sense.</exception>
    public async Task<ImportSummary> ImportAsync(ExportReader reader, CancellationToken cancellationToken)
    {
        await ledger.InitializeAsync(keys.Fingerprint, cancellationToken);
        if (!await ledger.BeginImportAsync(cancellationToken)) throw new LedgerException("There are hearts in this ledger: an import goes only into an empty one.");
        await foreach (var line in reader.ReadAsync(cancellationToken))
        {
            Add(line, reader);
            if (_events.Count == BatchLimit || _rows.Count == BatchLimit) await WriteAsync(cancellationToken);
        }

        await WriteAsync(cancellationToken);
        var targets = await FoldAndCompareAsync(cancellationToken);
        await ledger.EndImportAsync(cancellationToken);
        return new ImportSummary(_written, targets, _hearts);
    }

    private void Add(ExportLine line, ExportReader reader)
    {
        switch (line)
        {
            case StartLine start: _isSameKey = start.Key == keys.Fingerprint; break;
            case EventLine logged: _events.Add(EventOf(logged, reader)); break;
            case OpeningLine opening: _rows.Add(new StandingRow(opening, TargetOf(opening.TargetId, reader), null)); break;
            case RuleLine rule: _rows.Add(new StandingRow(rule, TargetOf(rule.TargetId, reader), rule.MovedTo is { } to ? TargetOf(to, reader) : null)); break;
            case BlockLine block: _rows.Add(new StandingRow(block, block.UserKey ?? HeartOf(Decision.Desk, block.UserId, reader).ToGuid(), null)); break;
            case QuarantineLine quarantine: _rows.Add(new StandingRow(quarantine, default, null)); break;
            case HeldLine held:
                var target = TargetOf(held.TargetId, reader);
                _rows.Add(new StandingRow(held, target, held.Heart ?? HeartOf(target, held.UserId, reader).ToGuid()));
                break;
        }
    }

    private RawEvent EventOf(EventLine line, ExportReader reader)
    {
        if (!Enum.TryParse<HeartEventKind>(line.Kind, ignoreCase: true, out var kind) || !Enum.IsDefined(kind)) throw reader.WrongLast("has an unknown kind");
        if (!Enum.TryParse<HeartCause>(line.Cause ?? nameof(HeartCause.User), ignoreCase: true, out var cause) || !Enum.IsDefined(cause)) throw reader.WrongLast("has an unknown cause");
        var isDecision = kind == HeartEventKind.Decided;
        if (isDecision != (line.TargetId.Length == 0) || isDecision != line.Detail is not null) throw reader.WrongLast("is neither an event of a heart nor a decision");
        var target = isDecision ? Decision.Desk : TargetOf(line.TargetId, reader);

        // What only the old key could make stays as it was: it is compared with nothing but itself.
        var heart = line.Heart is { } kept ? HeartId.FromGuid(kept)
            : isDecision && line.UserId.Length == 0 ? default
            : HeartOf(target, line.UserId, reader);
        if (line.Network is { Length: > 64 }) throw reader.WrongLast("has a network that is too long");
        var mac = line.Network is { } network ? keys.OfNetwork(heart, line.At, network) : line.NetworkMac ?? 0;
        var about = _isSameKey || line.About is null ? line.AboutKey : TargetOf(line.About, reader);
        _hearts += kind switch { HeartEventKind.Given => 1, HeartEventKind.Withdrawn => -1, _ => 0 };
        return new RawEvent(
            new EventPosition(0, target, line.Version), line.Version == 1 ? line.TargetId : null, heart, line.UserId, kind, line.At, line.Writer,
            line.Actor == HeartOrigin.Claimed.Actor ? null : line.Actor, (short)cause, line.Network, mac, line.Job, about, DetailOf(line, reader));
    }

    private string? DetailOf(EventLine line, ExportReader reader)
    {
        var detail = line.Detail?.GetRawText();
        return line.OtherUserId is { } other && MergedUser.Find(detail) is { } user
            ? detail!.Replace(user.ToString(), HeartOf(Decision.Desk, other, reader).ToString(), StringComparison.Ordinal)
            : detail;
    }

    private Guid TargetOf(string targetId, ExportReader reader) =>
        targetId.Length > 0 && Encoding.UTF8.GetByteCount(targetId) <= HeartKeys.MaxTargetIdBytes ? keys.OfTarget(targetId) : throw reader.WrongLast("has a target that is empty or too long");

    private HeartId HeartOf(Guid target, string userId, ExportReader reader) =>
        userId.StartsWith(EventProof.TombstonePrefix, StringComparison.Ordinal) ? throw reader.WrongLast("has a tombstone without the id it stands for")
        : userId.Length > 0 && Encoding.UTF8.GetByteCount(userId) <= HeartKeys.MaxUserIdBytes ? keys.OfHeart(target, userId)
        : throw reader.WrongLast("has a user that is empty or too long");

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        if (_rows.Count > 0) await ledger.ImportAsync(_rows, cancellationToken);
        if (_events.Count > 0) await ledger.ImportAsync(_events, cancellationToken);
        _written += _events.Count;
        _rows.Clear();
        _events.Clear();
    }

    /// <summary>Each target is folded once more from its log and compared with what is stored; all together must be what the export told.</summary>
    private async Task<long> FoldAndCompareAsync(CancellationToken cancellationToken)
    {
        while (await ledger.FoldAsync(FoldLimit, cancellationToken) > 0)
        {
        }

        var (after, targets, hearts) = (Guid.Empty, 0L, 0L);
        while (await ledger.ListTargetsAsync(after, TargetPage, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var target in page)
            {
                var fold = new TargetFold(new EventProof(keys), grainVersion: 0);
                await ledger.ScanTargetAsync(target, fold, cancellationToken);
                fold.Finish();
                if (fold.Findings.Count > 0) throw new LedgerException($"The export makes no sense: of target '{fold.TargetId}', {fold.Findings[0].Text}.");
                hearts += fold.Count;
            }

            targets += page.Count;
            after = page[^1];
        }

        return hearts == _hearts ? targets : throw new LedgerException($"The ledger has {hearts} hearts where the export has {_hearts}.");
    }
}
