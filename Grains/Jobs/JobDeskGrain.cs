using HeartGrains.Hearts;
using HeartGrains.Ledger;
using Orleans.Concurrency;

namespace HeartGrains.Jobs;

/// <summary>Hashes the subject, which a gateway has no key for, and hands the call on.</summary>
[StatelessWorker(maxLocalWorkers: 1), Reentrant] // Stateless, so there is no invariant for an await to break.
internal sealed class JobDeskGrain(IJobStore store, HeartKeys keys) : Grain, IJobDeskGrain
{
    /// <inheritdoc/>
    public ValueTask<JobReply> StartAsync(JobOrder order, CancellationToken cancellationToken = default) =>
        GrainFactory.GetGrain<IJobGrain>(Job.KeyOf(order.Kind, keys.OfSubject(order.Subject))).StartAsync(order, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<JobReply> ReadAsync(string id, CancellationToken cancellationToken = default)
    {
        try
        {
            return new JobReply(HeartOutcome.Committed, (await store.FindAsync(id, cancellationToken))?.ToView());
        }
        catch (LedgerException)
        {
            return new JobReply(HeartOutcome.LedgerUnavailable, null);
        }
    }
}
