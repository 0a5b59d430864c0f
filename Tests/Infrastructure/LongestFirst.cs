using HeartGrains.Tests.Infrastructure;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace HeartGrains.Tests.Infrastructure;

/// <summary>Starts the classes that take longest, which wait more than they compute, before all others: the short ones fill the time that is left.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Longest =
    [
        "RedisOutageTests", "ApiContractTests", "PostgresLedgerTests", "QuotaClusterTests", "OutageTests", "ButtonTroubleTests", "LiveLimitTests", "LedgerOutageTests", "ButtonTests", "PageLooksTests",
        "HomePageTests", "QuotaOutageTests", "CrossOriginTests", "ReaderTests", "QuotaReloadTests", "LiveButtonTests",
    ];

    /// <inheritdoc/>
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection => [.. testCollections.OrderBy(static collection => Place(collection.TestCollectionDisplayName))];

    private static int Place(string collection)
    {
        var place = Array.FindIndex(Longest, name => collection.Contains($".{name} ", StringComparison.Ordinal));
        return place < 0 ? Longest.Length : place;
    }
}
