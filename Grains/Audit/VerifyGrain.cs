using HeartGrains.Hearts;
using HeartGrains.Ledger;
using Orleans.Concurrency;

namespace HeartGrains.Audit;

/// <summary>
/// Compares one target for whoever asks. Calls interleave; what survives every await is that one comparison runs at a time, the one in <see cref="_running"/>, which touches nothing of the grain.
/// </summary>
[Reentrant]
internal sealed class VerifyGrain(Verifier verifier, HeartKeys keys, TimeProvider time) : Grain, IVerifyGrain, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.5);

    // Who was told that it goes on asks again soon; whoever comes later wants to know how things stand now.
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _leaving = new();
    private Task<VerifiedTarget>? _running;
    private bool _repairs;
    private long _endedAt;

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _leaving.Cancel();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void Dispose() => _leaving.Dispose();

    /// <inheritdoc/>
    public async ValueTask<TargetAnswer> VerifyAsync(bool repair, HeartOrigin origin, CancellationToken cancellationToken = default)
    {
        var deadline = Task.Delay(Patience, time, cancellationToken);
        if (_running is { IsCompleted: true } && time.GetElapsedTime(Volatile.Read(ref _endedAt)) > Freshness) _running = null;

        // Who wants it mended is not told what was found before: one that mends nothing ends first.
        while (repair && _running is { } plain && !_repairs)
        {
            await Task.WhenAny(plain, deadline);
            if (!plain.IsCompleted) return new TargetAnswer(true, null, null);
            if (_running == plain) _running = null;
        }

        var running = _running ??= Begin(this.GetPrimaryKeyString(), repair, origin);
        await Task.WhenAny(running, deadline);
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

    private Task<VerifiedTarget> Begin(string targetId, bool repair, HeartOrigin origin)
    {
        _repairs = repair;

        // Off the grain's turns: a large target is folded for seconds.
        return Task.Run(async () =>
        {
            try
            {
                var report = await verifier.VerifyTargetAsync(keys.OfTarget(targetId), targetId, repair ? origin : null, _leaving.Token);

                // A target that agrees with a log that was cut agrees with nothing.
                return await verifier.CheckSeenAnywhereAsync(_leaving.Token) is { } lost ? report with { Findings = [.. report.Findings, lost], Left = [.. report.Left, lost] } : report;
            }
            finally
            {
                Volatile.Write(ref _endedAt, time.GetTimestamp());
            }
        });
    }
}
