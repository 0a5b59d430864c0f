using System.Reflection;

namespace HeartGrains.Tests.Infrastructure;

/// <summary>An implementation of an interface, and something that a test does before each call: it may count, wait or throw.</summary>
internal static class Interposed
{
    public static T Before<T>(T inner, Action<string, object?[]> before) where T : class
    {
        var proxy = DispatchProxy.Create<T, InterposedProxy<T>>();
        ((InterposedProxy<T>)(object)proxy).Set(inner, before);
        return proxy;
    }
}

/// <summary>What stands in for it.</summary>
public class InterposedProxy<T> : DispatchProxy where T : class
{
    private T _inner = null!;
    private Action<string, object?[]> _before = null!;

    /// <summary>What is called, and what is done before.</summary>
    public void Set(T inner, Action<string, object?[]> before) => (_inner, _before) = (inner, before);

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        _before(targetMethod!.Name, args!);
        return targetMethod.Invoke(_inner, BindingFlags.DoNotWrapExceptions, null, args, null);
    }
}
