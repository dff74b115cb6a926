#![allow(clippy::disallowed_methods, reason = "tests build the runtime")]

use rt::disk::MemoryDisk;
use tower::ServiceExt;

use super::*;

fn paused<T>(scenario: impl AsyncFnOnce(Ctx) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("runtime");
    runtime.block_on(async { scenario(Ctx::seeded(1, Arc::new(MemoryDisk::new()))).await })
}

async fn get(ctx: &Ctx, limits: &Limits, answer: u16, after: Duration) -> Result<u16, String> {
    let slow = ctx.clone();
    let service = tower::service_fn(move |_: Request<()>| {
        let ctx = slow.clone();
        async move {
            if !after.is_zero() {
                ctx.sleep(after).await;
            }
            let response = Response::builder().status(answer).header("Retry-After", "7").body(());
            response.map_err(BoxError::from)
        }
    });
    let response = limits.layer(service).oneshot(Request::new(())).await;
    response.map(|response| response.status().as_u16()).map_err(|error| error.to_string())
}

#[test]
fn a_request_without_an_answer_fails_in_time() {
    paused(async |ctx| {
        let limits = Limits::new(ctx.clone(), Duration::from_secs(30), None);
        let answer = get(&ctx, &limits, 200, Duration::from_secs(3600)).await;
        assert_eq!(answer, Err("the API server did not answer within 30s".into()));
        assert_eq!(ctx.now().0.as_secs(), 30);
    });
}

#[test]
fn without_a_rate_nothing_waits_and_with_one_the_burst_goes_first() {
    paused(async |ctx| {
        let free = Limits::new(ctx.clone(), Duration::from_secs(30), None);
        for _ in 0..1000 {
            assert!(get(&ctx, &free, 200, Duration::ZERO).await.is_ok());
        }
        assert_eq!(ctx.now().0, Duration::ZERO);

        let start = ctx.now();
        let limited = Limits::new(ctx.clone(), Duration::from_secs(30), Some(Rate { qps: 5.0, burst: 10 }));
        let mut sent = Vec::new();
        for _ in 0..20 {
            let answer = get(&ctx, &limited, 200, Duration::ZERO).await;
            assert!(answer.is_ok());
            sent.push((ctx.now() - start).as_millis());
        }
        assert!(sent[9] < 50, "ten at once: {sent:?}");
        assert!((1990..2300).contains(&sent[19]), "then five a second: {sent:?}");
    });
}

#[test]
fn too_many_requests_makes_everybody_wait_as_long_as_the_server_says() {
    paused(async |ctx| {
        let limits = Limits::new(ctx.clone(), Duration::from_secs(30), None);
        assert_eq!(get(&ctx, &limits, 429, Duration::ZERO).await, Ok(429));
        assert_eq!(get(&ctx, &limits, 200, Duration::ZERO).await, Ok(200));
        assert_eq!(ctx.now().0.as_secs(), 7);
    });
}
