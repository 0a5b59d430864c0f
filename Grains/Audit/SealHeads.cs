using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Orleans.Runtime.Services;
using Orleans.Services;

namespace HeartGrains.Audit;

/// <summary>What each silo tells the others: the head of the chain as it last saw it.</summary>
[Alias("audit.ISealHeadService")]
internal interface ISealHeadService : IGrainService
{
    /// <summary>The head; null when it has seen none.</summary>
    [Alias("Find")]
    ValueTask<SealHead?> FindAsync(CancellationToken cancellationToken = default);
}

/// <inheritdoc cref="ISealHeadService"/>
internal sealed class SealHeadService(GrainId id, Silo silo, ILoggerFactory loggers, KeptHead head) : GrainService(id, silo, loggers), ISealHeadService
{
    /// <inheritdoc/>
    public ValueTask<SealHead?> FindAsync(CancellationToken cancellationToken = default) => new(head.Last);
}

/// <summary>Asks the other silos for the heads that they saw: one that has just started knows of none.</summary>
internal sealed class SealHeads(IServiceProvider services, ISiloStatusOracle silos) : GrainServiceClient<ISealHeadService>(services)
{
    /// <summary>Their heads, and whether all of them have told; nobody has while this silo has not joined.</summary>
    public async Task<(IReadOnlyList<SealHead> Heads, bool AreAll)> ReadAsync(CancellationToken cancellationToken)
    {
        if (silos.CurrentStatus != SiloStatus.Active) return ([], false);
        var others = silos.GetApproximateSiloStatuses(onlyActive: true).Keys.Where(address => !address.Equals(silos.SiloAddress));
        var told = await Task.WhenAll(others.Select(AskAsync));
        return ([.. told.Select(static answer => answer.Head).OfType<SealHead>()], told.All(static answer => answer.IsTold));

        async Task<(SealHead? Head, bool IsTold)> AskAsync(SiloAddress other)
        {
            try
            {
                return (await GetGrainService(other).FindAsync(cancellationToken), true);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                // It may be dying; who waits for all asks again.
                return (null, false);
            }
        }
    }
}
