using System.Globalization;

namespace HeartGrains.LoadTest.Report;

/// <summary>CPU time of a process and its descendants.</summary>
/// <param name="ProcessId">The process.</param>
/// <param name="Name">Its name; null when it has ended.</param>
/// <param name="Cpu">User and system time of the whole tree.</param>
public sealed record ProcessCpu(int ProcessId, string? Name, TimeSpan Cpu)
{
    // The kernel's USER_HZ, part of Linux's ABI: 100 on every architecture .NET runs on.
    private const int TicksPerSecond = 100;

    /// <summary>
    /// Reads <c>/proc</c>. Children that ended and were waited for count with their parent; a process below two of the given ones
    /// counts with the first.
    /// </summary>
    public static IReadOnlyList<ProcessCpu> Read(IReadOnlyList<int> processIds)
    {
        if (processIds.Count == 0) return [];
        var processes = Directory.EnumerateDirectories("/proc")
            .Where(path => char.IsAsciiDigit(path["/proc/".Length]))
            .Select(path => ReadStat(path))
            .OfType<Stat>()
            .ToDictionary(stat => stat.ProcessId);
        var children = processes.Values.ToLookup(stat => stat.ParentId, stat => stat.ProcessId);
        var counted = new HashSet<int>();
        return [.. processIds.Select(id => new ProcessCpu(id, processes.GetValueOrDefault(id)?.Name, Tree(id)))];

        TimeSpan Tree(int id) => counted.Add(id) && processes.TryGetValue(id, out var stat)
            ? children[id].Aggregate(stat.Cpu, (sum, child) => sum + Tree(child))
            : TimeSpan.Zero;
    }

    private static Stat? ReadStat(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path + "/stat"));
        }
        catch (IOException)
        {
            return null; // It ended while we looked.
        }
    }

    /// <summary>The fields of <c>/proc/PID/stat</c>, proc(5); the name stands in parentheses and may hold spaces and parentheses itself.</summary>
    internal static Stat Parse(string text)
    {
        var open = text.IndexOf('(');
        var close = text.LastIndexOf(')');
        var fields = text[(close + 2)..].Split(' ');
        var ticks = fields[11..15].Sum(field => long.Parse(field, CultureInfo.InvariantCulture));
        return new(
            int.Parse(text.AsSpan(0, open), CultureInfo.InvariantCulture),
            text[(open + 1)..close],
            int.Parse(fields[1], CultureInfo.InvariantCulture),
            TimeSpan.FromSeconds((double)ticks / TicksPerSecond));
    }

    internal sealed record Stat(int ProcessId, string Name, int ParentId, TimeSpan Cpu);
}
