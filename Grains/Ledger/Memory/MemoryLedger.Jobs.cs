using HeartGrains.Jobs;

namespace HeartGrains.Ledger.Memory;

/// <summary>Long operations, which here end with the process.</summary>
public sealed partial class MemoryLedger
{
    private readonly Dictionary<string, Job> _jobs = [];
    private readonly Dictionary<(string Kind, string Subject), string> _openJobs = [];

    /// <inheritdoc/>
    public ValueTask<Job> OpenAsync(Job job, CancellationToken cancellationToken)
    {
        lock (_jobs)
        {
            if (_openJobs.TryGetValue((job.Kind, job.Subject), out var open)) return new(_jobs[open]);
            _openJobs.Add((job.Kind, job.Subject), job.Id);
            _jobs.Add(job.Id, job);
            return new(job);
        }
    }

    /// <inheritdoc/>
    public ValueTask<Job?> FindOpenAsync(string kind, string subject, CancellationToken cancellationToken)
    {
        lock (_jobs) return new(_openJobs.TryGetValue((kind, subject), out var open) ? _jobs[open] : null);
    }

    /// <inheritdoc/>
    public ValueTask<Job?> FindAsync(string id, CancellationToken cancellationToken)
    {
        lock (_jobs) return new(_jobs.GetValueOrDefault(id));
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<OpenJob>> ListOpenAsync(string after, int limit, CancellationToken cancellationToken)
    {
        lock (_jobs)
        {
            return new([.. _openJobs.Where(open => string.CompareOrdinal(open.Value, after) > 0).OrderBy(open => open.Value, StringComparer.Ordinal).Take(limit)
                .Select(open => new OpenJob(open.Value, open.Key.Kind, open.Key.Subject))]);
        }
    }

    /// <inheritdoc/>
    public ValueTask<int> PruneAsync(long beforeMicros, int limit, CancellationToken cancellationToken)
    {
        lock (_jobs)
        {
            Job[] ended = [.. _jobs.Values.Where(job => job.FinishedMicros < beforeMicros).OrderBy(job => job.FinishedMicros).Take(limit)];
            foreach (var job in ended) _jobs.Remove(job.Id);
            return new(ended.Length);
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Job>> ListOpenOfKindAsync(string kind, int limit, CancellationToken cancellationToken)
    {
        lock (_jobs) return new([.. _openJobs.Where(open => open.Key.Kind == kind).Select(open => _jobs[open.Value]).OrderBy(job => job.StartedMicros).Take(limit)]);
    }

    /// <inheritdoc/>
    public ValueTask<bool> SaveAsync(Job job, CancellationToken cancellationToken)
    {
        lock (_jobs)
        {
            if (!_jobs.TryGetValue(job.Id, out var stored) || stored.FinishedMicros is not null || stored.Step != job.Step - 1) return new(false);
            _jobs[job.Id] = job;
            if (job.FinishedMicros is not null) _openJobs.Remove((job.Kind, job.Subject));
            return new(true);
        }
    }
}
