using HeartGrains.Hearts;
using HeartGrains.Ledger;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HeartGrains.Jobs;

/// <summary>
/// Works on the operations of one kind about one subject. The work goes on beside the calls, which interleave with it: what survives every await is that this activation works on one operation at a time
/// (<see cref="_working"/>). Another activation, after a split, may do a page as well; of two who did the same page one stores it, and the other reads where the operation stands.
/// </summary>
internal sealed partial class JobGrain(
    IJobStore store, IEnumerable<IJobWork> works, IOptions<JobOptions> options, TimeProvider time, ILogger<JobGrain> logger) : Grain, IJobGrain, IDisposable
{
    private static readonly TimeSpan FirstRest = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan KeepTime = TimeSpan.FromMinutes(1);
    private readonly CancellationTokenSource _leaving = new();
    private Task _working = Task.CompletedTask;
    private bool _isAsked;
    private string _kind = "";
    private string _subject = "";

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        (_kind, _subject) = Job.Parse(this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _leaving.CancelAsync();
        await _working.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    /// <inheritdoc/>
    public async ValueTask<JobReply> StartAsync(JobOrder order, CancellationToken cancellationToken = default)
    {
        try
        {
            var job = await store.OpenAsync(Job.Of(order, _subject, Now), cancellationToken);
            Work();
            return new JobReply(HeartOutcome.Committed, job.ToView());
        }
        catch (LedgerException)
        {
            return new JobReply(HeartOutcome.LedgerUnavailable, null);
        }
    }

    /// <inheritdoc/>
    public ValueTask WakeAsync()
    {
        Work();
        return default;
    }

    /// <inheritdoc/>
    public void Dispose() => _leaving.Dispose();

    private long Now => time.NowMicros();

    private void Work()
    {
        // Asked while the work is about to end: it looks once more.
        _isAsked = true;
        if (!_working.IsCompleted) return;

        // It belongs to no call, and so to no call's trace.
        using (ExecutionContext.SuppressFlow()) _working = WorkAsync(_leaving.Token);
    }

    private async Task WorkAsync(CancellationToken leaving)
    {
        var rest = FirstRest;
        while (!leaving.IsCancellationRequested)
        {
            try
            {
                DelayDeactivation(KeepTime);
                _isAsked = false;
                if (await store.FindOpenAsync(_kind, _subject, leaving) is not { } job)
                {
                    if (_isAsked) continue;
                    return;
                }

                await FinishAsync(job, () => rest = FirstRest, leaving);
            }
            catch (OperationCanceledException) when (leaving.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // Not its message, which may name a user.
                if (rest == FirstRest) Log.PageFailed(logger, _kind, exception is LedgerException or JobStalledException ? exception.Message : $"{exception.GetType().FullName}\n{exception.StackTrace}");
                await Task.Delay(rest, time, leaving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
                rest = rest * 2 < options.Value.MaxRest ? rest * 2 : options.Value.MaxRest;
            }
        }
    }

    /// <summary>Page after page until it has ended or somebody else has moved it on.</summary>
    private async Task FinishAsync(Job job, Action onPage, CancellationToken leaving)
    {
        var work = works.FirstOrDefault(work => work.Kind == job.Kind) ?? throw new JobStalledException("No work of this kind is known to this program.");
        while (true)
        {
            var page = await work.RunPageAsync(job, leaving);
            job = job.After(page, Now);

            // The page is done: not to store it because somebody leaves would only have it done again.
            if (!await store.SaveAsync(job, CancellationToken.None)) return;
            onPage();
            if (job.State != JobState.Running)
            {
                Log.Ended(logger, job.Kind, job.Id, job.State, job.Progress);
                return;
            }

            leaving.ThrowIfCancellationRequested();
            DelayDeactivation(KeepTime);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "A page of an operation ({Kind}) failed; it is done again after a rest, until it succeeds: {Reason}")]
        public static partial void PageFailed(ILogger logger, string kind, string reason);

        [LoggerMessage(2, LogLevel.Information, "The operation {Kind} {Id} ended, {State}: {Progress}")]
        public static partial void Ended(ILogger logger, string kind, string id, JobState state, string progress);
    }
}

/// <summary>A page cannot go on now; it is done again later. The message names no user.</summary>
public sealed class JobStalledException(string message) : Exception(message);
