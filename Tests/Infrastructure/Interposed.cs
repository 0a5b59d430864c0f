using System.Reflection;

namespace HeartGrains.Tests.Infrastructure;

/// <summary>An implementation of an interface, and something that a test does before each call: it may count, wait or throw.</summary>
public class Interposed<T> : DispatchProxy where T : class
{
    private T _inner = null!;
    private Action<string, object?[]> _before = null!;

    public static T Before(T inner, Action<string, object?[]> before)
    {
        var proxy = Create<T, Interposed<T>>();
        var interposed = (Interposed<T>)(object)proxy;
        (interposed._inner, interposed._before) = (inner, before);
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        _before(targetMethod!.Name, args!);
        return targetMethod.Invoke(_inner, BindingFlags.DoNotWrapExceptions, null, args, null);
    }
}
