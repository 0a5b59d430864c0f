using HeartGrains.Gateway.Resilience;

namespace HeartGrains.Tests.Resilience;

public sealed class RetryBudgetTests
{
    [Fact]
    public void TryTake_Fresh_GivesTenAndNoMore()
    {
        var budget = new RetryBudget(0.1);
        budget.Left.ShouldBe(10);
        TakeAll(budget).ShouldBe(10);
        budget.Left.ShouldBe(0);
    }

    [Theory]
    [InlineData(0.1, 100)]
    [InlineData(0.05, 50)]
    [InlineData(1, 1_000)]
    public void TryTake_AfterAThousandCalls_GivesItsPartOfThem(double ratio, int retries)
    {
        var budget = new RetryBudget(ratio);
        TakeAll(budget);
        var taken = 0;
        for (var call = 0; call < 1_000; call++)
        {
            budget.Pay();
            taken += TakeAll(budget);
        }

        taken.ShouldBe(retries);
    }

    [Theory]
    [InlineData(0.01, 10)]
    [InlineData(0.1, 10)]
    [InlineData(0.5, 50)]
    public void Pay_MoreCallsThanItSavesFor_IsCapped(double ratio, int cap)
    {
        var budget = new RetryBudget(ratio);
        TakeAll(budget).ShouldBe(cap);
        for (var call = 0; call < 100_000; call++) budget.Pay();
        budget.Left.ShouldBeInRange(cap, cap + ratio);
        TakeAll(budget).ShouldBe(cap);
    }

    [Fact]
    public void TryTake_RatioOfZero_NeverGives()
    {
        var budget = new RetryBudget(0);
        budget.TryTake().ShouldBeFalse();
        for (var call = 0; call < 1_000; call++) budget.Pay();
        budget.TryTake().ShouldBeFalse();
        budget.Left.ShouldBe(0);
    }

    [Fact]
    public async Task TryTake_EightThreadsAtOnce_GiveNoMoreThanWasPaidFor()
    {
        const int Threads = 8;
        const int Calls = 20_000;
        var budget = new RetryBudget(0.1);
        using var start = new Barrier(Threads);
        var taken = await Task.WhenAll(Enumerable.Range(0, Threads).Select(_ => Task.Factory.StartNew(
            () =>
            {
                start.SignalAndWait();
                var taken = 0;
                for (var call = 0; call < Calls; call++)
                {
                    budget.Pay();
                    if (budget.TryTake()) taken++;
                }

                return taken;
            },
            TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        // All that was paid in was taken out, to the last whole retry; what a full account turned away at the start was not.
        const int Paid = 10 + (Threads * Calls / 10);
        (taken.Sum() + TakeAll(budget)).ShouldBeInRange(Paid - 20, Paid);
    }

    private static int TakeAll(RetryBudget budget)
    {
        var taken = 0;
        while (budget.TryTake()) taken++;
        return taken;
    }
}
