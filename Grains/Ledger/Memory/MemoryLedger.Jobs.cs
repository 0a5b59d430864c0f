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
    public ValueTask<IReadOnlyList<(string Kind, string Subject)>> ListOpenAsync(int limit, CancellationToken cancellationToken)
    {
        lock (_jobs) return new([.. _openJobs.Values.Select(id => _jobs[id]).OrderBy(job => job.StartedMicros).Take(limit).Select(job => (job.Kind, job.Subject))]);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Job>> ListOpenAsync(string kind, int limit, CancellationToken cancellationToken)
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
