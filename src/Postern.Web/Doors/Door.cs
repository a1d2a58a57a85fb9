using Microsoft.AspNetCore.Http;
using Postern.Web.Access;
using Postern.Web.Calls;

namespace Postern.Web.Doors;

/// <summary>A way in. It says who calls; what may be done with that is the same at every door.</summary>
internal abstract class Door
{
    /// <summary>Why nobody is heard who calls like this; null where the call may be looked at.</summary>
    public virtual Answer? WhyNot(HttpContext context) => null;

    /// <summary>Who calls; <see cref="Caller.Nobody"/> for whoever does not show it.</summary>
    public abstract ValueTask<Caller> FindCallerAsync(HttpContext context);

    /// <summary>Why this call may not be done by a browser on somebody's behalf; null where it may.</summary>
    public virtual Answer? WhyNot(HttpContext context, Route route, Caller caller) => null;

    /// <summary>It is for this machine alone: what went wrong is told with its own words, which may hold paths.</summary>
    public virtual bool IsLocal => false;

    /// <summary>Callers have budgets here.</summary>
    public virtual CallBudgets? Budgets => null;

    /// <summary>What every answer carries.</summary>
    public virtual void Prepare(HttpContext context)
    {
    }
}
