"""The session and the list of tasks as a FastAPI service, with the tokens and the tables of an api-server.

Run: uvicorn app:app, with DATABASE_URL and AUTH_SECRET of an api-server.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import Annotated

import asyncpg
import jwt
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

REQUIRED = ["sub", "email", "iss", "aud", "iat", "exp", "jti", "sid"]
PAGE = "SELECT id, user_id, title, description, completed, created_at, updated_at FROM tasks WHERE user_id = $1 " \
       "ORDER BY id DESC LIMIT $2"


class User(BaseModel):
    id: str
    email: str
    roles: list[str]


class Session(BaseModel):
    id: str
    expiresAt: datetime


class CurrentSession(BaseModel):
    user: User
    session: Session


class Task(BaseModel):
    id: int
    user_id: str
    title: str
    description: str | None
    completed: bool
    created_at: datetime
    updated_at: datetime


@asynccontextmanager
async def lifespan(application: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=10, max_size=10) as pool:
        application.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


# `async`, because FastAPI runs a function that is not `async` on another thread, which takes longer.
async def claims_of(credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> dict:
    try:
        return jwt.decode(credentials.credentials, os.environ["AUTH_SECRET"], algorithms=["HS256"],
                          issuer="api-server", audience="api", options={"require": REQUIRED})
    except jwt.InvalidTokenError as error:
        raise HTTPException(401) from error


Claims = Annotated[dict, Depends(claims_of)]


@app.get("/ready")
async def ready() -> str:
    return "ready"


@app.get("/api/auth/session")
async def session(claims: Claims) -> CurrentSession:
    return CurrentSession(
        user=User(id=claims["sub"], email=claims["email"], roles=claims.get("roles", [])),
        session=Session(id=claims["sid"], expiresAt=datetime.fromtimestamp(claims["exp"], timezone.utc)),
    )


@app.get("/api/{user_id}/tasks")
async def tasks(user_id: str, claims: Claims, request: Request, limit: int = 100) -> list[Task]:
    if user_id != claims["sub"]:
        raise HTTPException(403)
    rows = await request.app.state.pool.fetch(PAGE, user_id, limit)
    return [Task(**row) for row in rows]
