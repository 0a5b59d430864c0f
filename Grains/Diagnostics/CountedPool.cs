using Microsoft.Extensions.ObjectPool;

namespace HeartGrains.Diagnostics;

/// <summary>A pool that tells how often it had an object at hand. A rent costs one interlocked addition more than without.</summary>
internal sealed class CountedPool<T> : ObjectPool<T>
    where T : class
{
    private readonly DefaultObjectPool<T> _pool;
    private long _rents;
    private long _misses;

    public CountedPool(IPooledObjectPolicy<T> policy, int maximumRetained) => _pool = new(new CountingPolicy(this, policy), maximumRetained);

    /// <summary>
    /// Rents answered from the pool, and rents for which an object was made. A rent under way counts as a hit until its object is made, so
    /// hits can fall back by as many as there are threads renting.
    /// </summary>
    public (long Hits, long Misses) Rents
    {
        get
        {
            // In this order: a miss is a rent already.
            var misses = Interlocked.Read(ref _misses);
            return (Interlocked.Read(ref _rents) - misses, misses);
        }
    }

    public override T Get()
    {
        Interlocked.Increment(ref _rents);
        return _pool.Get();
    }

    public override void Return(T obj) => _pool.Return(obj);

    private sealed class CountingPolicy(CountedPool<T> owner, IPooledObjectPolicy<T> policy) : IPooledObjectPolicy<T>
    {
        public T Create()
        {
            Interlocked.Increment(ref owner._misses);
            return policy.Create();
        }

        public bool Return(T obj) => policy.Return(obj);
    }
}
