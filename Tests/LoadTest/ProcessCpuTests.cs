using HeartGrains.LoadTest.Report;

namespace HeartGrains.Tests.LoadTest;

public sealed class ProcessCpuTests
{
    [Fact]
    public void Parse_NameWithSpacesAndParentheses_ReadsTheRightFields()
    {
        var stat = ProcessCpu.Parse("42 (a) b (c) S 7 1 1 0 -1 4194560 10 20 0 0 150 50 30 20 20 0 1 0 100 0 0");

        stat.ShouldBe(new(42, "a) b (c", 7, TimeSpan.FromSeconds(2.5)));
    }

    [Fact]
    public void Read_ProcessBelowAnother_CountsOnce()
    {
        var twice = ProcessCpu.Read([Environment.ProcessId, Environment.ProcessId]);

        twice[0].Cpu.ShouldBeGreaterThan(TimeSpan.Zero);
        twice[1].Cpu.ShouldBe(TimeSpan.Zero);
    }
}
