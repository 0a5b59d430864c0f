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

    private readonly CancellationTokenSource _leaving = new();
    private Task<VerifiedTarget>? _running;
    private bool _repairs;

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
