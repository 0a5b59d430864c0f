using HeartGrains.Hearts;
using HeartGrains.Ledger;
using Orleans.Concurrency;

namespace HeartGrains.Audit;

/// <summary>
/// Compares one target for whoever asks. Calls interleave; what survives every await is that one comparison runs at a time, the one in <see cref="_running"/>, which touches nothing of the grain.
/// </summary>
[Reentrant]
internal sealed class VerifyGrain(Verifier verifier, HeartKeys keys, TimeProvider time) : Grain, IVerifyGrain
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.5);

    private readonly CancellationTokenSource _leaving = new();
    private Task<TargetReport>? _running;
    private bool _repairs;

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _leaving.Cancel();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask<TargetAnswer> VerifyAsync(bool repair, HeartOrigin origin, CancellationToken cancellationToken = default)
    {
        var targetId = this.GetPrimaryKeyString();
        if (_running is null || (repair && !_repairs && _running.IsCompleted)) Begin(targetId, repair, origin);
        var running = _running!;
        await Task.WhenAny(running, Task.Delay(Patience, time, cancellationToken));
        if (!running.IsCompleted) return new TargetAnswer(true, null, null);
        if (_running == running) _running = null;
        try
        {
            return new TargetAnswer(true, await running, await verifier.FindHeadAsync(cancellationToken));
        }
        catch (LedgerException)
        {
            return new TargetAnswer(false, null, null);
        }
    }

    private void Begin(string targetId, bool repair, HeartOrigin origin)
    {
        _repairs = repair;

        // Off the grain's turns: a large target is folded for seconds.
        _running = Task.Run(() => verifier.VerifyTargetAsync(keys.OfTarget(targetId), targetId, repair ? origin : null, _leaving.Token));
    }
}

/// <summary>Compares everything, a page at a time, on the silo that was asked.</summary>
[StatelessWorker(maxLocalWorkers: 2), Reentrant] // Stateless, so there is no invariant for an await to break.
internal sealed class VerifyPagesGrain(Verifier verifier, IAuditStore store, TimeProvider time) : Grain, IVerifyPagesGrain
{
    private const int BlocksAtOnce = 10;
    private const int TargetsAtOnce = 20;
    private static readonly TimeSpan PageTime = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public async ValueTask<VerifyPage> VerifyPageAsync(VerifyRequest request, CancellationToken cancellationToken = default)
    {
        try
        {
            return await Task.Run(() => RunAsync(request, cancellationToken), cancellationToken);
        }
        catch (LedgerException)
        {
            return new VerifyPage(false, 0, 0, 0, 0, [], null, null);
        }
    }

    private async Task<VerifyPage> RunAsync(VerifyRequest request, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var findings = new List<Finding>();
        var (blocks, events, targets, repaired) = (0L, 0L, 0L, 0L);
        var place = request.Place;
        if (request.Kept is { } kept)
        {
            if (await verifier.CheckKeptAsync(kept, cancellationToken) is { } finding) findings.Add(finding);
            else place = place with { Block = kept.Number };
        }

        while (place.Block is { } block && time.GetElapsedTime(started) < PageTime)
        {
            var report = await verifier.VerifyBlocksAsync(block + 1, BlocksAtOnce, cancellationToken);
            blocks += report.Blocks;
            events += report.Events;
            findings.AddRange(report.Findings);
            place = place with { Block = report.Blocks < BlocksAtOnce ? null : report.Last };
        }

        VerifyPlace? next = place;
        while (place.Block is null && next is not null && time.GetElapsedTime(started) < PageTime)
        {
            var keys = await store.ListTargetsAsync(place.Target, TargetsAtOnce, cancellationToken);
            foreach (var key in keys)
            {
                var report = await verifier.VerifyTargetAsync(key, null, request.Repair ? request.Origin : null, cancellationToken);
                targets++;
                if (report.IsRepaired) repaired++;
                findings.AddRange(report.Findings);
                place = place with { Target = key };
                if (time.GetElapsedTime(started) >= PageTime) break;
            }

            next = keys.Count < TargetsAtOnce && (keys.Count == 0 || place.Target == keys[^1]) ? null : place;
        }

        return new VerifyPage(
            true, blocks, events, targets, repaired, [.. findings.Take(TargetFold.FindingLimit)], next, await verifier.FindHeadAsync(cancellationToken));
    }
}
