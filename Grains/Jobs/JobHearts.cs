using HeartGrains.Hearts;
using Microsoft.Extensions.Options;
using Orleans.Runtime;

namespace HeartGrains.Jobs;

/// <summary>How jobs change hearts: through the targets' grains, some at once, each again until it is committed.</summary>
public sealed class JobHearts(IGrainFactory grains, IOptions<JobOptions> options, TimeProvider time)
{
    private const int Attempts = 8;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>Gives a heart. Committed when it returns.</summary>
    /// <exception cref="JobStalledException">It could not be committed for a while.</exception>
    public Task<HeartReceipt> GiveAsync(string targetId, string userId, HeartOrigin origin, CancellationToken cancellationToken) =>
        CommitAsync(token => Grain(targetId).GiveAsync(userId, origin, token), static receipt => receipt.Outcome, cancellationToken);

    /// <summary>Withdraws a heart; else as <see cref="GiveAsync"/>.</summary>
    public Task<HeartReceipt> WithdrawAsync(string targetId, string userId, HeartOrigin origin, CancellationToken cancellationToken) =>
        CommitAsync(token => Grain(targetId).WithdrawAsync(userId, origin, token), static receipt => receipt.Outcome, cancellationToken);

    /// <summary>Does something to each, in no order, <see cref="JobOptions.Parallelism"/> at once; ends with the first failure, when those under way have ended.</summary>
    public async Task ForEachAsync<T>(IReadOnlyList<T> items, Func<T, CancellationToken, Task> action, CancellationToken cancellationToken)
    {
        var next = 0;
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAll(Enumerable.Range(0, Math.Min(options.Value.Parallelism, items.Count)).Select(_ => WorkAsync()));

        async Task WorkAsync()
        {
            try
            {
                for (var index = Interlocked.Increment(ref next) - 1; index < items.Count; index = Interlocked.Increment(ref next) - 1)
                    await action(items[index], failed.Token);
            }
            catch
            {
                await failed.CancelAsync();
                throw;
            }
        }
    }

    /// <summary>The grain of a target, by its bare key: the usual overload refuses keys of white space, which are fine targets.</summary>
    public IHeartGrain Grain(string targetId) => (IHeartGrain)grains.GetGrain(typeof(IHeartGrain), IdSpan.Create(targetId));

    /// <summary>Calls a target's grain until it says that it is committed.</summary>
    public async Task<T> CommitAsync<T>(Func<CancellationToken, ValueTask<T>> call, Func<T, HeartOutcome> outcomeOf, CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var answer = await call(cancellationToken);
                if (outcomeOf(answer) == HeartOutcome.Committed) return answer;
            }
            catch (Exception exception) when (exception is TimeoutException or OrleansException && !cancellationToken.IsCancellationRequested)
            {
                // It may have been done; the same call again tells.
            }

            if (attempt == Attempts) throw new JobStalledException("A target's hearts cannot be changed now.");
            await Task.Delay(pause, time, cancellationToken);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }
}
