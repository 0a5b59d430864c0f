using System.Diagnostics;

namespace HeartGrains.Tests.Cluster;

public sealed class AdmissionsTests
{
    private readonly Admissions _admissions = new();

    [Fact]
    public void LargestExcess_EvenlyAtTheRateAfterABurst_IsNothing()
    {
        Add(sent: 0, answered: 1, tokens: 10);
        for (var second = 2; second < 50; second++) Add(second, second + 0.5, tokens: 2);
        _admissions.LargestExcess(limit: 10, tokensPerSecond: 2).ShouldBe(0, 3);
        _admissions.Tokens.ShouldBe(106);
    }

    [Fact]
    public void LargestExcess_TwoBurstsCloserThanTheRateAllows_IsWhatIsTooMuch()
    {
        Add(sent: 0, answered: 1, tokens: 1);
        Add(sent: 100, answered: 101, tokens: 10);
        Add(sent: 102, answered: 103, tokens: 10);
        _admissions.LargestExcess(limit: 10, tokensPerSecond: 2).ShouldBe(4, 0.001);
    }

    [Fact]
    public void LargestExcess_CallThatMayHaveBeenDecidedEarlier_DoesNotCountInLaterWindows()
    {
        Add(sent: 0, answered: 100, tokens: 10);
        Add(sent: 99, answered: 100, tokens: 10);
        _admissions.LargestExcess(limit: 10, tokensPerSecond: 0.1).ShouldBe(0, 0.2);
    }

    [Fact]
    public void LargestExcess_WindowsUpToALength_DoesNotLookAtLongerOnes()
    {
        Add(sent: 0, answered: 1, tokens: 10);
        Add(sent: 30, answered: 31, tokens: 5);
        Add(sent: 60, answered: 61, tokens: 9);
        _admissions.LargestExcess(limit: 10, tokensPerSecond: 0, TimeSpan.FromSeconds(30)).ShouldBe(0);
        _admissions.LargestExcess(limit: 10, tokensPerSecond: 0, TimeSpan.FromSeconds(40)).ShouldBe(5);
    }

    private void Add(double sent, double answered, int tokens) =>
        _admissions.Add((long)(sent * Stopwatch.Frequency), (long)(answered * Stopwatch.Frequency), tokens);
}
